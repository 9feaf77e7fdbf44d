import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { after, before, describe, it } from 'mocha';
import { startBackfill } from '../../../temporal/schedules/backfills.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { EARLIER_RUN_ACTIVITY } from '../../../workflows/plan/runs/earlier-run.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { ITEMS_WORKFLOW } from '../../../workflows/plan/tasks/items.ts';
import { eventually } from '../../support/eventually.ts';
import { heartbeatUntil } from '../../support/heartbeat-until.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

describe('runs that start their children again', function () {
  this.timeout('2m');
  let worker: TestWorker;
  /** The workflow type of each execution of a task, in order. */
  const executed: string[] = [];
  /** What the tasks of a pipeline do, by dag_id; absent: return 1. */
  const behaviors = new Map<string, () => Promise<unknown>>();
  const ok = async (): Promise<unknown> => {
    const { workflowType = '' } = Context.current().info;
    executed.push(workflowType);
    return (await behaviors.get(workflowType)?.()) ?? 1;
  };
  const executionsOf = (dagId: string): number => executed.filter((each) => each === dagId).length;
  const fail = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('broken', 'ToyFailed'));

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, { ok });
  });
  after(() => worker.close());

  /** A pipeline whose task `a` runs another one. @param more keys of `a` */
  function planned(more = ''): { plan: Plan; child: string } {
    const child = `child_${randomUUID().slice(0, 8)}`;
    return { plan: casePlan(`a: run_pipeline with {dag_id: ${child}${more}}`, { pipelines: { [child]: 'x: ok' } }), child };
  }
  const startRun = async (plan: Plan): Promise<string> =>
    (await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID())).pipelineRunId;
  const resultOf = async (run: string): Promise<RunResult> => (await worker.client.workflow.getHandle(run).result()) as RunResult;
  const executionOf = async (run: string): Promise<string> => (await worker.client.workflow.getHandle(run).describe()).runId;

  /** Resets a run to its first step, as `temporal workflow reset --type FirstWorkflowTask` does. */
  async function reset(run: string): Promise<void> {
    const handle = worker.client.workflow.getHandle(run);
    const { events } = await handle.fetchHistory();
    const first = events?.find(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes);
    assert.ok(first?.eventId);
    await worker.client.workflowService.resetWorkflowExecution({
      namespace: worker.client.options.namespace,
      workflowExecution: { workflowId: run, runId: await executionOf(run) },
      reason: 'a test',
      requestId: randomUUID(),
      workflowTaskFinishEventId: first.eventId,
    });
  }

  const waitsForEarlierRun = (run: string): Promise<void> =>
    eventually(async () => {
      const { raw } = await worker.client.workflow.getHandle(run).describe();
      assert.ok(raw.pendingActivities?.some(({ activityType }) => activityType?.name === EARLIER_RUN_ACTIVITY));
    });

  it('after a reset, adopt the child that succeeded: its effects are there', async () => {
    const { plan, child } = planned();
    const run = await startRun(plan);
    const before = await resultOf(run);
    const execution = await executionOf(`${child}/pipeline/${run}/a`);
    await reset(run);
    assert.deepEqual((await resultOf(run)).tasks.a?.output, before.tasks.a?.output);
    assert.equal(await executionOf(`${child}/pipeline/${run}/a`), execution);
    assert.equal(executionsOf(child), 1);
  });

  it('after a reset, replace the child that failed', async () => {
    const { plan, child } = planned();
    behaviors.set(child, fail);
    const run = await startRun(plan);
    await assert.rejects(resultOf(run));
    behaviors.delete(child);
    await reset(run);
    assert.equal((await resultOf(run)).state, 'success');
    assert.equal(executionsOf(child), 2);
  });

  it('after a reset, wait for the child that is running, and adopt it', async () => {
    const { plan, child } = planned();
    let isReleased = false;
    behaviors.set(child, () => heartbeatUntil(() => isReleased));
    const run = await startRun(plan);
    await eventually(() => Promise.resolve(assert.equal(executionsOf(child), 1)));
    await reset(run);
    await waitsForEarlierRun(run);
    isReleased = true;
    assert.equal((await resultOf(run)).state, 'success');
    assert.equal(executionsOf(child), 1);
  });

  it('after a reset, cancel the child that is running with the parent', async () => {
    const { plan, child } = planned();
    behaviors.set(child, () => heartbeatUntil());
    const run = await startRun(plan);
    await eventually(() => Promise.resolve(assert.equal(executionsOf(child), 1)));
    await reset(run);
    await waitsForEarlierRun(run);
    await worker.client.workflow.getHandle(run).cancel();
    await assert.rejects(resultOf(run));
    await assert.rejects(resultOf(`${child}/pipeline/${run}/a`), (error: Error) => error.cause instanceof CancelledFailure);
  });

  it('after a reset, leave alone the child that nothing waits for', async () => {
    const { plan, child } = planned(', wait: false');
    behaviors.set(child, () => heartbeatUntil());
    const run = await startRun(plan);
    await resultOf(run);
    await eventually(() => Promise.resolve(assert.equal(executionsOf(child), 1)));
    const id = `${child}/pipeline/${run}/a`;
    const execution = await executionOf(id);
    await reset(run);
    assert.deepEqual((await resultOf(run)).tasks.a?.output, { run_id: id, state: 'running', outputs: {} });
    assert.equal(await executionOf(id), execution);
    await worker.client.workflow.getHandle(id).terminate();
  });

  it('after a reset, adopt the parts of a long list that are running', async () => {
    const items = Array.from({ length: 1_001 }, (_, item) => item).join(', ');
    let isReleased = false;
    behaviors.set(ITEMS_WORKFLOW, () => heartbeatUntil(() => isReleased));
    const run = await startRun(casePlan(`x: ok with {expand: {over: [${items}]}}`, {}));
    await eventually(() => Promise.resolve(assert.ok(executionsOf(ITEMS_WORKFLOW) > 0)));
    await reset(run);
    await waitsForEarlierRun(run);
    isReleased = true;
    assert.equal((await resultOf(run)).state, 'success');
    assert.equal(executionsOf(ITEMS_WORKFLOW), 1_001);
  });

  it('under the id of an earlier run, replace its children: a repeated interval is a new load', async () => {
    const { plan, child } = planned();
    const schedule = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' } as const;
    const parent = { ...plan, dagId: `parent_${randomUUID().slice(0, 8)}`, schedule };
    for (const reprocess of ['none', 'all'] as const) {
      const at = Date.parse('2024-01-01');
      const order = { plan: parent, from: at, to: at, reprocess, maxActive: 1, reverse: false };
      const { pipelineRunId } = await startBackfill(worker.client, worker.taskQueue, order);
      const report = await worker.client.workflow.getHandle(pipelineRunId).result();
      assert.equal((report as { succeeded: number }).succeeded, 1);
    }
    assert.equal(executionsOf(child), 2);
  });
});
