import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { after, before, describe, it } from 'mocha';
import {
  BackfillRefused,
  type BackfillOrder,
  cancelBackfill,
  listBackfills,
  pauseBackfill,
  previewBackfill,
  resumeBackfill,
  startBackfill,
} from '../../temporal/schedules/backfills.ts';
import { DecisionRefused } from '../../temporal/runs/decisions.ts';
import { type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import type { BackfillReport } from '../../workflows/plan/runs/backfill.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { runSlotsId, SLOTS_QUERY, slotsIdIn } from '../../workflows/plan/slots/slot-messages.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { eventually } from '../support/eventually.ts';
import { heartbeatUntil } from '../support/heartbeat-until.ts';
import { planOf, task } from '../support/plans.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

const DAILY = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' } as const;
const day = (number: number): string => `2024-01-${String(number).padStart(2, '0')}`;

describe('backfill', function () {
  this.timeout('2m');
  let worker: TestWorker;
  let environment: Record<string, string>;
  /** `<dag_id> <day>` of each run's one task, as they began. */
  const began: string[] = [];
  /** What the tasks of a pipeline do, by dag_id; absent: nothing. */
  const behaviours = new Map<string, (date: string) => Promise<void>>();
  const active = new Map<string, number>();
  const mostActive = new Map<string, number>();

  const activities = {
    work: async ({ interval }: TaskInput): Promise<null> => {
      const dagId = Context.current().info.workflowType ?? '';
      const date = interval.start.slice(0, 10);
      began.push(`${dagId} ${date}`);
      active.set(dagId, (active.get(dagId) ?? 0) + 1);
      mostActive.set(dagId, Math.max(mostActive.get(dagId) ?? 0, active.get(dagId) ?? 0));
      try {
        await behaviours.get(dagId)?.(date);
      } finally {
        active.set(dagId, (active.get(dagId) ?? 0) - 1);
      }
      return null;
    },
  };

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, activities);
  });
  after(() => worker.close());

  const planned = (name: string): Plan =>
    planOf(`${name}_${randomUUID().slice(0, 8)}`, [task('a', 'work', [], { heartbeatTimeoutMs: 1000 })], { schedule: DAILY });
  const order = (plan: Plan, from: number, to: number, more: Partial<BackfillOrder> = {}): BackfillOrder => ({
    plan,
    from: Date.parse(day(from)),
    to: Date.parse(day(to)),
    reprocess: 'none',
    maxActive: 2,
    reverse: false,
    ...more,
  });
  const start = (wanted: BackfillOrder): Promise<RunReference> => startBackfill(worker.client, worker.taskQueue, wanted);
  const handle = ({ pipelineRunId }: RunReference) => worker.client.workflow.getHandle(pipelineRunId);
  const report = async (backfill: RunReference): Promise<BackfillReport> => (await handle(backfill).result()) as BackfillReport;
  const daysOf = ({ dagId }: Plan): string[] => began.filter((each) => each.startsWith(`${dagId} `)).map((each) => each.slice(-2));

  it('runs each interval once, at most the limit at a time, oldest first', async () => {
    const plan = planned('each');
    behaviours.set(plan.dagId, () => Context.current().sleep(100));
    const done = await report(await start(order(plan, 1, 9, { maxActive: 3 })));
    assert.deepEqual({ ...done, lookedAt: '' }, { total: 9, succeeded: 9, skipped: 0, failed: [], lookedAt: '' });
    assert.deepEqual(daysOf(plan).sort(), ['01', '02', '03', '04', '05', '06', '07', '08', '09']);
    assert.equal(mostActive.get(plan.dagId), 3);
  });

  it('newest first when that is requested', async () => {
    const plan = planned('reverse');
    await report(await start(order(plan, 1, 4, { maxActive: 1, reverse: true })));
    assert.deepEqual(daysOf(plan), ['04', '03', '02', '01']);
  });

  it('runs what never ran; then what failed; then all', async () => {
    const plan = planned('again');
    const interval = { start: `${day(2)}T00:00:00Z`, end: `${day(3)}T00:00:00Z` };
    await handle(await startManualRun(worker.client, plan, worker.taskQueue, interval, 'by hand')).result();
    let failing = true;
    behaviours.set(plan.dagId, async (date) => {
      if (failing && date === day(3)) throw ApplicationFailure.nonRetryable('no', 'TestFailure');
    });
    began.length = 0;
    const preview = await previewBackfill(worker.client, order(plan, 1, 4));
    assert.deepEqual(
      preview.map(({ runs, why }) => [runs, why]),
      [
        [true, 'never ran'],
        [false, 'success'],
        [true, 'never ran'],
        [true, 'never ran'],
      ],
    );
    await assert.rejects(
      handle(await start(order(plan, 1, 4))).result(),
      (error) =>
        error instanceof WorkflowFailedError &&
        error.cause instanceof ApplicationFailure &&
        /1 of 4 runs failed: 2024-01-03T00:00:00Z.*--reprocess failed/.test(error.cause.message),
    );
    assert.deepEqual(daysOf(plan).sort(), ['01', '03', '04']);
    failing = false;
    began.length = 0;
    const second = await report(await start(order(plan, 1, 4)));
    assert.deepEqual([second.succeeded, second.skipped, daysOf(plan)], [0, 4, []]);
    const third = await report(await start(order(plan, 1, 4, { reprocess: 'failed' })));
    assert.deepEqual([third.succeeded, third.skipped, daysOf(plan)], [1, 3, ['03']]);
    await report(await start(order(plan, 1, 4, { reprocess: 'all' })));
    assert.deepEqual(daysOf(plan).sort(), ['01', '02', '03', '03', '04']);
    const again = (await worker.client.workflow
      .getHandle(`${plan.dagId}/backfill/${day(3)}T00:00:00Z/${day(4)}T00:00:00Z`)
      .result()) as RunResult;
    assert.equal(again.state, 'success');
  });

  it('pauses, shows it, and continues', async () => {
    const plan = planned('paused');
    let released = false;
    behaviours.set(plan.dagId, () => heartbeatUntil(() => released));
    const backfill = await start(order(plan, 1, 4, { maxActive: 1 }));
    await eventually(async () => assert.deepEqual(daysOf(plan), ['01']));
    const told = await pauseBackfill(worker.client, backfill.pipelineRunId, { by: 'ann', reason: 'the source is down' });
    assert.match(told, /paused by ann; 1 run continues until it ends/);
    released = true;
    await eventually(async () => {
      const [state] = (await listBackfills(worker.client)).filter(({ workflowId }) => workflowId === backfill.pipelineRunId);
      assert.deepEqual(
        [state?.report?.succeeded, state?.report?.total, state?.report?.paused],
        [1, 4, { by: 'ann', reason: 'the source is down' }],
      );
    });
    assert.deepEqual(daysOf(plan), ['01']);
    await resumeBackfill(worker.client, backfill.pipelineRunId, { by: 'ann' });
    assert.equal((await report(backfill)).succeeded, 4);
  });

  it('refuses a request without an operator', async () => {
    const plan = planned('nobody');
    let released = false;
    behaviours.set(plan.dagId, () => heartbeatUntil(() => released));
    const backfill = await start(order(plan, 1, 1));
    await assert.rejects(pauseBackfill(worker.client, backfill.pipelineRunId, { by: ' ' }), DecisionRefused);
    released = true;
    await report(backfill);
  });

  it('ends with its runs when it is cancelled', async () => {
    const plan = planned('cancelled');
    behaviours.set(plan.dagId, () => heartbeatUntil());
    const backfill = await start(order(plan, 1, 5));
    await eventually(async () => assert.equal(daysOf(plan).length, 2));
    await cancelBackfill(worker.client, backfill.pipelineRunId);
    await assert.rejects(handle(backfill).result(), WorkflowFailedError);
    assert.equal((await handle(backfill).describe()).status.name, 'CANCELLED');
    for (const date of [1, 2]) {
      const run = worker.client.workflow.getHandle(`${plan.dagId}/backfill/${day(date)}T00:00:00Z/${day(date + 1)}T00:00:00Z`);
      assert.equal((await run.describe()).status.name, 'CANCELLED');
    }
    assert.equal(daysOf(plan).length, 2);
  });

  it('a live run goes before the intervals that wait', async () => {
    const plan: Plan = { ...planned('yields'), maxActiveRuns: 1 };
    let released = false;
    behaviours.set(plan.dagId, () => (daysOf(plan).length === 1 ? heartbeatUntil(() => released) : Promise.resolve()));
    const backfill = await start(order(plan, 1, 4, { maxActive: 3 }));
    // Which of the three that ask at once has the one place is nobody's business.
    await eventually(() => Promise.resolve(assert.equal(daysOf(plan).length, 1)));
    const live = await startManualRun(
      worker.client,
      plan,
      worker.taskQueue,
      { start: '2024-02-09T00:00:00Z', end: '2024-02-10T00:00:00Z' },
      '2024-02-09T00:00:00Z',
    );
    await eventually(async () => {
      const { waiting } = await worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, runSlotsId(plan.dagId))).query(SLOTS_QUERY);
      assert.ok(waiting.some(({ workflowId }) => workflowId === live.pipelineRunId));
    });
    released = true;
    await report(backfill);
    assert.equal(daysOf(plan)[1], '09');
  });

  it('one of a range at a time, and none of nothing', async () => {
    const plan = planned('twice');
    let released = false;
    behaviours.set(plan.dagId, () => heartbeatUntil(() => released));
    const backfill = await start(order(plan, 1, 1));
    await assert.rejects(start(order(plan, 1, 1)), BackfillRefused);
    released = true;
    await report(backfill);
    await assert.rejects(start(order({ ...plan, schedule: null }, 1, 1)), BackfillRefused);
  });

  it('continues when its worker has gone, and runs nothing twice', async () => {
    const taskQueue = `test-${randomUUID()}`;
    const first = await startTestWorker(environment, activities, taskQueue);
    const plan = planned('outlives');
    // It ends what it has begun, and takes nothing new.
    behaviours.set(plan.dagId, () => delay(200));
    const backfill = await startBackfill(worker.client, taskQueue, order(plan, 1, 6, { maxActive: 1 }));
    await eventually(async () => assert.deepEqual(daysOf(plan), ['01', '02', '03']));
    await first.close();
    assert.ok(daysOf(plan).length < 6);
    const second = await startTestWorker(environment, activities, taskQueue);
    try {
      assert.equal((await report(backfill)).succeeded, 6);
      assert.deepEqual(daysOf(plan), ['01', '02', '03', '04', '05', '06']);
    } finally {
      await second.close();
    }
  });

  it('restarts its history in the middle of many intervals', async () => {
    const plan: Plan = { ...planned('many'), schedule: { kind: 'every', everyMs: 60_000, timezone: 'UTC' } };
    const from = Date.parse(day(1));
    const backfill = await start({ ...order(plan, 1, 1), from, to: from + 209 * 60_000, maxActive: 20 });
    const done = await report(backfill);
    assert.deepEqual([done.succeeded, done.skipped, done.total, daysOf(plan).length], [210, 0, 210, 210]);
    const { runId } = await handle(backfill).describe();
    assert.notEqual(runId, backfill.temporalRunId);
  });
});
