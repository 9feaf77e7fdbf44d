import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { withHash } from '../../../compiler/resolve/emit.ts';
import { findProblems } from '../../../monitors/problems.ts';
import { catchUp } from '../../../temporal/schedules/catch-up.ts';
import { TemporalFacts } from '../../../temporal/monitors/monitor-facts.ts';
import { retentionOf } from '../../../temporal/retention.ts';
import { applyChange } from '../../../temporal/schedules/schedules.ts';
import { fillTicks, listTicks, type Tick } from '../../../temporal/schedules/ticks.ts';
import type { BackfillReport } from '../../../workflows/plan/runs/backfill.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { planOf, task } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { toyActivities } from '../../support/toy-activities.ts';

const DAY = 86_400_000;

describe('intervals whose runs Temporal has removed', function () {
  this.timeout('1m');
  let environment: Record<string, string>;
  let worker: TestWorker;
  let retention: number;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, toyActivities);
    retention = (await retentionOf(worker.client)) ?? assert.fail('The suite’s namespace has a retention.');
  });
  after(() => worker.close());

  /** A daily pipeline that was applied now, with intervals before. */
  async function apply(): Promise<Plan> {
    const startAt = new Date(Math.floor(Date.now() / DAY) * DAY - 6 * DAY).toISOString().replace('.000Z', 'Z');
    const dagId = `expired_${randomUUID().slice(0, 8)}`;
    const schedule = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt } as const;
    const slas = [
      { name: 'fresh', promise: { kind: 'within', ms: retention + 20 * DAY, reference: 'previous_success' }, suppressWhen: [] },
    ] as const;
    const plan = withHash(planOf(dagId, [task('a', 'ok')], { schedule, slas, catchup: { mode: 'all' } }));
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    return plan;
  }
  /** When the pipeline is older than the retention. */
  const later = (): number => Date.now() + retention + 5 * DAY;
  const statesOf = (ticks: readonly Tick[]): Set<string> => new Set(ticks.map(({ state }) => state));

  it('are expired, not missing; --fill starts none of them', async () => {
    const plan = await apply();
    assert.deepEqual(statesOf(await listTicks(worker.client, plan.dagId)), new Set(['skipped']));
    const now = later();
    const ticks = await listTicks(worker.client, plan.dagId, {}, now);
    const [old, recent] = [
      ticks.filter(({ tick }) => Date.parse(tick) < now - retention),
      ticks.filter(({ tick }) => Date.parse(tick) >= now - retention),
    ];
    assert.deepEqual(statesOf(old), new Set(['expired']));
    assert.match(old[0]?.why ?? '', /it is unknown whether it ran/);
    assert.ok(!statesOf(recent).has('expired') && statesOf(recent).has('missing'));
    assert.deepEqual(await fillTicks(worker.client, plan.dagId, worker.taskQueue, old), { started: [], taken: [] });
  });

  it('are not caught up; those of a new pipeline are', async () => {
    const plan = await apply();
    const schedule = { ...plan.schedule, endAt: new Date(Date.now() + DAY).toISOString() } as Plan['schedule'];
    assert.equal(await catchUp(worker.client, { ...plan, schedule }, worker.taskQueue, later()), undefined);
    const id = (await catchUp(worker.client, plan, worker.taskQueue, Date.now())) ?? assert.fail('Nothing is caught up.');
    const { total, succeeded } = (await worker.client.workflow.getHandle(id).result()) as BackfillReport;
    assert.deepEqual([total, succeeded], [6, 6]);
  });

  it('are no problem of a pipeline, and prove no staleness', async () => {
    const plan = await apply();
    const now = later();
    const { found } = await new TemporalFacts(worker.client, worker.taskQueue, environment).pipelines(now, []);
    const pipeline = found.find((each) => each.plan.dagId === plan.dagId) ?? assert.fail();
    const problems = findProblems(pipeline, now, DEFAULT_MONITOR_SETTINGS);
    for (const { kind, interval } of problems) {
      assert.equal(kind, 'missing');
      assert.ok(Date.parse(interval?.end ?? '') >= now - retention);
    }
    const muchLater = Date.now() + retention + 25 * DAY;
    const seen = await new TemporalFacts(worker.client, worker.taskQueue, environment).pipelines(muchLater, []);
    const unknown = seen.found.find((each) => each.plan.dagId === plan.dagId) ?? assert.fail();
    assert.deepEqual(
      findProblems(unknown, muchLater, DEFAULT_MONITOR_SETTINGS).filter(({ kind }) => kind === 'stale'),
      [],
    );
  });
});
