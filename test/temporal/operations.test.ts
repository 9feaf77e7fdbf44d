import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, it } from 'mocha';
import { DecisionRefused } from '../../temporal/runs/decisions.ts';
import { showRun } from '../../temporal/runs/follow-run.ts';
import { cancelRun, operatePipeline, operateRun, operateTask } from '../../temporal/runs/operations.ts';
import { type EndedRun, previewRerun, readEndedRun, RerunRefused, startRerun } from '../../temporal/runs/reruns.ts';
import { describeRun, RunNotFound, type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { NotScheduled } from '../../temporal/schedules/schedule-facts.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { casePlan } from '../workflows/run/language-cases.ts';
import { currentDetails, workerOfSuite } from '../support/temporal-suite.ts';

const ANN = { by: 'ann', reason: 'the source is down' };
/** The SDK sends heartbeats on after 80 % of this. */
const QUICK = { heartbeatTimeoutMs: 1000 };

describe('operations on Temporal', function () {
  this.timeout('2m');
  const worker = workerOfSuite();

  const start = (plan: Plan): Promise<RunReference> => startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
  const handle = ({ pipelineRunId }: RunReference) => worker.client.workflow.getHandle(pipelineRunId);
  const result = async (run: RunReference): Promise<RunResult> => (await handle(run).result()) as RunResult;
  const isRunning = (run: RunReference, id: string): Promise<void> =>
    eventually(async () => {
      const pending = (await handle(run).describe()).raw.pendingActivities ?? [];
      assert.ok(pending.some(({ activityId }) => activityId === id));
    });
  const activities = async (run: RunReference): Promise<string[]> =>
    (await handle(run).fetchHistory()).events?.flatMap(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId ?? [],
    ) ?? [];

  it('skip a task that runs; who and why stays in the run', async () => {
    const run = await start(
      planOf('operated', [task('a', 'hang', [], QUICK), task('b', 'succeed', ['a'], { triggerRule: 'none_failed' })]),
    );
    await isRunning(run, 'a');
    const { pipelineRunId } = run;
    assert.equal(await operateTask(worker.client, pipelineRunId, 'skip', { task: 'a', ...ANN }), 'skip a by ann: the source is down');
    const { tasks, operations } = await result(run);
    assert.deepEqual([tasks.a?.state, tasks.b?.state, operations], ['skipped', 'success', ['skip a by ann: the source is down']]);
  });

  it('pause and resume a run, visibly; an invalid request is refused and changes nothing', async () => {
    const run = await start(planOf('operated', [task('a', 'hang', [], QUICK), task('b', 'succeed', ['a'])]));
    const { pipelineRunId } = run;
    await isRunning(run, 'a');
    await operateRun(worker.client, pipelineRunId, 'pause', ANN);
    await eventually(async () => assert.equal((await describeRun(worker.client, run)).state, 'paused'));
    await assert.rejects(operateRun(worker.client, pipelineRunId, 'pause', ANN), DecisionRefused);
    await operateTask(worker.client, pipelineRunId, 'mark-success', { task: 'a', ...ANN });
    await eventually(async () => assert.match(await currentDetails(handle(run)), /a {2}success/));
    assert.deepEqual(await activities(run), ['a']);
    await operateRun(worker.client, pipelineRunId, 'unpause', { by: 'bob' });
    assert.equal((await result(run)).tasks.b?.state, 'success');
  });

  it('retry a task that has failed while its run continues', async () => {
    const run = await start(planOf('operated', [task('a', 'fail'), task('b', 'succeed', ['a']), task('h', 'hang', [], QUICK)]));
    await eventually(async () => assert.match(await currentDetails(handle(run)), /upstream_failed/));
    await operateTask(worker.client, run.pipelineRunId, 'retry', { task: 'a', ...ANN });
    await eventually(async () => assert.deepEqual(await activities(run), ['a', 'h', 'a#2']));
    await operateTask(worker.client, run.pipelineRunId, 'mark-success', { task: 'h', ...ANN });
    await assert.rejects(handle(run).result(), WorkflowFailedError);
  });

  it('cancel shows who and why', async () => {
    const run = await start(planOf('operated', [task('a', 'hang', [], QUICK)], { finally: [task('z', 'succeed')] }));
    await isRunning(run, 'a');
    await cancelRun(worker.client, run.pipelineRunId, ANN);
    await assert.rejects(handle(run).result(), WorkflowFailedError);
    assert.equal((await handle(run).describe()).status.name, 'CANCELLED');
    assert.match(await currentDetails(handle(run)), /! cancel by ann: the source is down/);
    await assert.rejects(cancelRun(worker.client, 'nobody/manual/x', ANN), RunNotFound);
  });

  it('pause a pipeline: its schedule shows who and why', async () => {
    const plan = planOf(`operated_${randomUUID().slice(0, 8)}`, [task('a', 'succeed')], {
      schedule: { kind: 'every', everyMs: 3_600_000, timezone: 'UTC' },
    });
    await applyChange(worker.client, { dagId: plan.dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    const schedule = worker.client.schedule.getHandle(plan.dagId);
    await operatePipeline(worker.client, plan.dagId, 'pause', ANN);
    const { paused, note } = (await schedule.describe()).state;
    assert.deepEqual([paused, note], [true, 'paused by ann: the source is down']);
    await operatePipeline(worker.client, plan.dagId, 'unpause', { by: 'bob' });
    assert.equal((await schedule.describe()).state.paused, false);
    await schedule.delete();
    await assert.rejects(operatePipeline(worker.client, plan.dagId, 'pause', ANN), NotScheduled);
  });

  describe('rerun', () => {
    const order = (run: EndedRun, from?: string) => ({ run, plan: run.plan, params: run.params, ...(from !== undefined && { from }) });

    it('keeps what succeeded, and names the run that it repeats', async () => {
      const failing = planOf('rerun', [
        task('a', 'make_data', [], { outputBase: 's3://b/a' }),
        task('b', 'fail', ['a']),
        task('c', 'tell_input', ['b'], { inputFrom: 'a' }),
      ]);
      const first = await start(failing);
      await assert.rejects(handle(first).result(), WorkflowFailedError);
      const ended = await readEndedRun(worker.client, first.pipelineRunId);
      // Repaired in the meantime: --definition latest.
      const plan = { ...failing, tasks: failing.tasks.map((each) => (each.name === 'b' ? { ...each, type: 'succeed' } : each)) };
      const rerun = await startRerun(worker.client, worker.taskQueue, { ...order(ended), plan }, Date.now());
      const { tasks, state } = await result(rerun);
      assert.deepEqual(await activities(rerun), ['b', 'c']);
      assert.deepEqual([state, tasks.a?.note], ['success', 'kept']);
      // The data of the earlier run is handed on.
      assert.deepEqual((tasks.c?.output as { input: object }).input, ended.tasks.a?.output);
      const { input } = (await showRun(worker.client, rerun)).instances;
      assert.equal(input?.rerunOf?.pipelineRunId, first.pipelineRunId);
      assert.equal((await describeRun(worker.client, rerun)).cause, 'rerun');
    });

    it('of a run that was cancelled', async () => {
      const first = await start(planOf('rerun', [task('a', 'succeed'), task('b', 'hang', ['a'], QUICK), task('c', 'succeed', ['b'])]));
      await isRunning(first, 'b');
      await handle(first).cancel();
      await assert.rejects(handle(first).result(), WorkflowFailedError);
      const choices = previewRerun(order(await readEndedRun(worker.client, first.pipelineRunId)));
      assert.deepEqual(
        choices.map(({ task: name, runs }) => [name, runs]),
        [
          ['a', false],
          ['b', true],
          ['c', true],
        ],
      );
    });

    it('runs one item of a list alone', async () => {
      const plan = casePlan('a: ok with {expand: {over: [1, 2, 3]}, give: "{{ item }}", poison: "{{ item == params.bad }}"}', {
        file: { params: { bad: 2 } },
      });
      const first = await start(plan);
      await assert.rejects(handle(first).result(), (error: Error) => /a\[1\] failed/.test(String(error.cause)));
      const ended = await readEndedRun(worker.client, first.pipelineRunId);
      const rerun = await startRerun(worker.client, worker.taskQueue, { ...order(ended), params: { bad: 7 } }, Date.now());
      assert.deepEqual((await result(rerun)).tasks.a?.output, [1, 2, 3]);
      assert.deepEqual(await activities(rerun), ['a[1]']);
    });

    it('is refused where nothing failed, while the run is active, and from a task that is not there', async () => {
      const good = await start(planOf('rerun', [task('a', 'succeed')]));
      await handle(good).result();
      const ended = await readEndedRun(worker.client, good.pipelineRunId);
      assert.throws(() => previewRerun(order(ended)), RerunRefused);
      assert.throws(() => previewRerun(order(ended, 'x')), /'rerun' has no task 'x'; it has: a/);
      assert.equal(previewRerun(order(ended, 'a'))[0]?.runs, true);
      const running = await start(planOf('rerun', [task('a', 'hang', [], QUICK)]));
      await assert.rejects(readEndedRun(worker.client, running.pipelineRunId), RerunRefused);
      await handle(running).cancel();
    });
  });
});
