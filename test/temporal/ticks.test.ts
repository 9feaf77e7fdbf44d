import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { startBackfill } from '../../temporal/schedules/backfills.ts';
import { accountForTicks, catchUp } from '../../temporal/schedules/catch-up.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { NotScheduled } from '../../temporal/schedules/schedule-facts.ts';
import { fillTicks, isOpen, listTicks, type Tick } from '../../temporal/schedules/ticks.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, task } from '../support/plans.ts';
import { sluice } from '../support/processes.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';
import { toyActivities } from '../support/toy-activities.ts';

const SECONDLY: SchedulePlan = { kind: 'every', everyMs: 1000, timezone: 'UTC' };
const DAY = 86_400_000;

describe('ticks', function () {
  this.timeout('2m');
  let worker: TestWorker;
  let environment: Record<string, string>;
  const applied: string[] = [];

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, toyActivities);
  });
  after(async () => {
    for (const dagId of applied) await worker.client.schedule.getHandle(dagId).delete();
    await worker.close();
  });

  const planned = (name: string, schedule: SchedulePlan, type = 'succeed'): Plan =>
    planOf(`${name}_${randomUUID().slice(0, 8)}`, [task('a', type, [], { heartbeatTimeoutMs: 1000 })], { schedule });
  async function apply(plan: Plan): Promise<void> {
    await applyChange(worker.client, { dagId: plan.dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    applied.push(plan.dagId);
  }
  const schedule = ({ dagId }: Plan) => worker.client.schedule.getHandle(dagId);
  const statesOf = (ticks: readonly Tick[]): string => ticks.map(({ state }) => state).join(' ');
  const daysAgo = (days: number): string => new Date(Math.floor(Date.now() / DAY - days) * DAY).toISOString();

  it('each is there with the run that it had', async () => {
    const plan = planned('ran', SECONDLY);
    await apply(plan);
    await eventually(async () => {
      const ticks = await listTicks(worker.client, plan.dagId);
      assert.match(statesOf(ticks), /^(success ){3}/);
      assert.equal(ticks[0]?.pipelineRunId, `${plan.dagId}/scheduled-${ticks[0]?.tick}`);
    });
  });

  it('what the Schedule holds back is queued', async () => {
    const plan = planned('held', SECONDLY, 'hang');
    await apply(plan);
    await eventually(async () => assert.match(statesOf(await listTicks(worker.client, plan.dagId)), /^running queued queued( |$)/));
    await schedule(plan).pause();
    await worker.client.workflow.getHandle((await listTicks(worker.client, plan.dagId))[0]?.pipelineRunId ?? '').cancel();
  });

  it('what was skipped on purpose is skipped, and shows why; what is filled is there', async () => {
    const plan = planned('skipped', { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt: daysAgo(3) });
    await apply(plan);
    const ticks = await listTicks(worker.client, plan.dagId);
    assert.equal(statesOf(ticks), 'skipped skipped skipped');
    assert.match(ticks[0]?.why ?? '', /before the pipeline was applied/);
    const [, second] = ticks;
    assert.ok(second);
    const [filled] = (await fillTicks(worker.client, plan.dagId, worker.taskQueue, [second])).started;
    assert.equal(filled, `${plan.dagId}/scheduled-${second.tick}`);
    await worker.client.workflow.getHandle(filled ?? '').result();
    await eventually(async () => assert.equal(statesOf(await listTicks(worker.client, plan.dagId)), 'skipped success skipped'));
    // The list that was looked at may be old.
    assert.deepEqual(await fillTicks(worker.client, plan.dagId, worker.taskQueue, [second]), { started: [], taken: [] });
  });

  it('a pause is why', async () => {
    const plan = planned('pause', SECONDLY);
    await apply(plan);
    await schedule(plan).pause('the warehouse is closed');
    await eventually(async () => {
      const ticks = await listTicks(worker.client, plan.dagId);
      assert.match(ticks.at(-1)?.why ?? '', /the schedule is paused: the warehouse is closed/);
    });
  });

  it('what should have run and did not is missing, and can be filled', async () => {
    const plan = planned('missing', SECONDLY);
    await apply(plan);
    // As if the server had forgotten some: nothing is left of a pause when it is over.
    await schedule(plan).pause();
    const skipped = await eventually(async () => {
      const tick = (await listTicks(worker.client, plan.dagId)).find(({ state }) => state === 'skipped');
      assert.ok(tick);
      return tick;
    });
    await schedule(plan).unpause();
    const inTwoMinutes = Date.now() + 120_000;
    const find = async (): Promise<Tick | undefined> =>
      (await listTicks(worker.client, plan.dagId, {}, inTwoMinutes)).find(({ tick }) => tick === skipped.tick);
    const missing = await find();
    assert.deepEqual([missing?.state, missing?.why], ['missing', 'it was due, and nothing ran']);
    assert.ok(missing);
    assert.deepEqual(await fillTicks(worker.client, plan.dagId, worker.taskQueue, [missing]), {
      started: [`${plan.dagId}/scheduled-${missing.tick}`],
      taken: [],
    });
    await eventually(async () => assert.equal((await find())?.state, 'success'));
  });

  it('one whose id the run of another interval has shows it, and what runs it', async () => {
    const hourly = planned('taken', { kind: 'cron', cron: '0 * * * *', timezone: 'UTC', startAt: daysAgo(2) });
    await apply(hourly);
    const midnight = daysAgo(0).replace('.000Z', 'Z');
    const lastHour = (await listTicks(worker.client, hourly.dagId)).find(({ tick }) => tick === midnight) ?? assert.fail();
    const [id] = (await fillTicks(worker.client, hourly.dagId, worker.taskQueue, [lastHour])).started;
    await worker.client.workflow.getHandle(id ?? '').result();
    const daily = { ...hourly, schedule: { ...hourly.schedule, kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' } } satisfies Plan;
    await applyChange(worker.client, { dagId: daily.dagId, action: 'update', detail: '', plan: daily }, worker.taskQueue);
    const tick = await eventually(async () => {
      const found = (await listTicks(worker.client, daily.dagId)).at(-1) ?? assert.fail();
      assert.equal(found.idTakenBy, id);
      return found;
    });
    assert.equal(
      tick.why,
      `${id} is the run of ${lastHour.interval.start} – ${midnight}: \`sluice backfill ${daily.dagId} --from ${tick.interval.start} --to ${tick.interval.start}\` runs this one`,
    );
    assert.ok(!isOpen(tick));
    // Listed before the other run was there.
    const stale: Tick = { tick: tick.tick, interval: tick.interval, state: 'missing' };
    for (const each of [tick, stale]) {
      assert.deepEqual(await fillTicks(worker.client, daily.dagId, worker.taskQueue, [each]), { started: [], taken: [tick] });
    }
    const { code, stderr } = await sluice(['ticks', daily.dagId, '--from', tick.interval.start, '--fill'], {
      ...environment,
      SLUICE_TASK_QUEUE: worker.taskQueue,
    });
    assert.equal(code, 1);
    assert.ok(stderr.includes(`Tick ${midnight} cannot be filled: ${tick.why}.`), stderr);
    const from = Date.parse(tick.interval.start);
    const { pipelineRunId } = await startBackfill(worker.client, worker.taskQueue, {
      plan: daily,
      from,
      to: from,
      reprocess: 'none',
      maxActive: 1,
      reverse: false,
    });
    await worker.client.workflow.getHandle(pipelineRunId).result();
    await eventually(async () => assert.equal((await listTicks(worker.client, daily.dagId)).at(-1)?.state, 'success'));
  });

  it('a start_delay is waited out, visibly', async () => {
    const plan = planned('delayed', { ...SECONDLY, startDelayMs: 2500 });
    await apply(plan);
    // Any of them: on a busy machine the first may be over before it is listed.
    const tick = await eventually(async () => {
      const queued = (await listTicks(worker.client, plan.dagId)).find(({ state }) => state === 'queued');
      assert.ok(queued, 'a tick is queued');
      return queued;
    });
    await schedule(plan).pause();
    const run = worker.client.workflow.getHandle(tick.pipelineRunId ?? '');
    await run.result();
    const { events = [] } = await run.fetchHistory();
    const timer = events?.find(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
    assert.ok(timer, 'a timer was set');
    const { closeTime } = await run.describe();
    assert.ok((closeTime?.getTime() ?? 0) >= Date.parse(tick.tick) + 2500);
  });

  it('of a pipeline that is not applied there are none', () =>
    assert.rejects(listTicks(worker.client, 'nobody_applied_this'), NotScheduled));

  it('an update that drops what was due is made good', async () => {
    const plan = planned('dropped', SECONDLY);
    await apply(plan);
    await schedule(plan).pause();
    await eventually(async () => assert.doesNotMatch(statesOf(await listTicks(worker.client, plan.dagId)), /running/));
    const now = Math.floor(Date.now() / 1000) * 1000;
    // As the server left it: five ticks due, none of them worked through.
    const span = { schedule: SECONDLY, from: now - 5000, to: now };
    const had = new Set((await listTicks(worker.client, plan.dagId)).flatMap(({ pipelineRunId }) => pipelineRunId ?? []));
    const wanted = [4, 3, 2, 1, 0]
      .map((seconds) => `${plan.dagId}/scheduled-${new Date(now - seconds * 1000).toISOString().replace('.000Z', 'Z')}`)
      .filter((id) => !had.has(id));
    assert.ok(wanted.length > 0);
    assert.deepEqual(await accountForTicks(worker.client, plan, worker.taskQueue, span), wanted);
    assert.deepEqual(await accountForTicks(worker.client, plan, worker.taskQueue, span), []);
  });

  it('catchup runs what never ran since start_date, once', async () => {
    const plan: Plan = {
      ...planned('catchup', { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt: daysAgo(6) }),
      catchup: { mode: 'all', maxRuns: 4 },
    };
    await apply(plan);
    const backfill = await catchUp(worker.client, plan, worker.taskQueue, Date.now());
    await worker.client.workflow.getHandle(backfill ?? '').result();
    await eventually(async () =>
      assert.equal(statesOf(await listTicks(worker.client, plan.dagId)), 'skipped skipped success success success success'),
    );
    assert.equal(await catchUp(worker.client, plan, worker.taskQueue, Date.now()), undefined);
    assert.equal(await catchUp(worker.client, { ...plan, catchup: { mode: 'latest' } }, worker.taskQueue, Date.now()), undefined);
  });
});
