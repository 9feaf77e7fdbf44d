import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, it } from 'mocha';
import { followRun, showRun } from '../../../temporal/runs/follow-run.ts';
import { SlaReader } from '../../../temporal/monitors/sla-reader.ts';
import { readEndedRun, startRerun } from '../../../temporal/runs/reruns.ts';
import { readRunDetails } from '../../../temporal/runs/run-details.ts';
import { describeRun, listRuns, type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { workerOfSuite } from '../../support/temporal-suite.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

describe('a task that went on without some of its items', function () {
  this.timeout('1m');
  const worker = workerOfSuite();

  const loads = (onItemFailure: string, expand = 'over: [1, 2, 3]', give = '{{ item }}'): Plan =>
    casePlan(
      `load: ok with {expand: {${expand}, on_item_failure: ${onItemFailure}, max_parallel: 1}, give: "${give}", poison: "${give.replace(' }}', ' == params.bad }}')}"}; b: ok`,
      { file: { params: { bad: 2 }, sla: [{ name: 'all_items', assert: 'failed_items == 0' }] } },
    );
  const start = (plan: Plan, params?: JsonObject): Promise<RunReference> =>
    startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params);
  const resultOf = async ({ pipelineRunId }: RunReference): Promise<RunResult> =>
    (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult;
  const rerun = async (run: RunReference): Promise<RunReference> => {
    const ended = await readEndedRun(worker.client, run.pipelineRunId);
    return startRerun(worker.client, worker.taskQueue, { run: ended, plan: ended.plan, params: { bad: 9 } }, Date.now());
  };
  const activitiesOf = async ({ pipelineRunId }: RunReference): Promise<string[]> =>
    (await worker.client.workflow.getHandle(pipelineRunId).fetchHistory()).events?.flatMap(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId ?? [],
    ) ?? [];

  it('is shown in its result, in lists, in its own description, and to its SLA', async () => {
    const { client } = worker;
    const plan = loads('continue');
    const run = await start(plan);
    const { state, tasks } = await resultOf(run);
    assert.deepEqual([state, tasks.load?.state, tasks.load?.output, tasks.load?.missing], ['success', 'success', [1, null, 3], [1]]);
    assert.match(tasks.load?.note ?? '', /2 of 3 items; failed: \[1\]/);
    const summary = await describeRun(client, run);
    assert.deepEqual([summary.state, summary.isPartial], ['success', true]);
    await eventually(async () => {
      const listed = (await listRuns(client, 1000, plan.dagId)).find(({ pipelineRunId }) => pipelineRunId === run.pipelineRunId);
      assert.equal(listed?.isPartial, true);
    });
    const { instances } = await showRun(client, run);
    assert.match(instances.all().find(({ task }) => task === 'load')?.note ?? '', /failed: \[1\]/);
    const read = await new SlaReader(client).read({ ...run, cause: 'manual', state: 'success', queuedAt: 0 }, plan, Date.now());
    assert.equal(read.broken?.get('all_items'), 'violates its SLA all_items: failed_items is 1; required: failed_items == 0');
    const { failedItems } = await readRunDetails(client, run);
    assert.deepEqual(failedItems, ['load[1]: ok broke'], 'pages say so');
    const followed = await followRun(client, run, { task: () => undefined }, AbortSignal.timeout(20_000));
    assert.equal(followed.isPartial, true, 'run --wait says so');
  });

  it('a run whose items all succeeded shows nothing of the kind', async () => {
    const plan = loads('continue');
    const run = await start(plan, { bad: 9 });
    assert.equal((await resultOf(run)).tasks.load?.missing, undefined);
    assert.equal((await describeRun(worker.client, run)).isPartial, undefined);
    const read = await new SlaReader(worker.client).read({ ...run, cause: 'manual', state: 'success', queuedAt: 0 }, plan, Date.now());
    assert.equal(read.broken?.size, 0);
  });

  it('rerun repeats the items that failed, and what follows', async () => {
    const run = await start(loads('continue'));
    await resultOf(run);
    const repeated = await rerun(run);
    const { state, tasks } = await resultOf(repeated);
    assert.deepEqual([state, tasks.load?.output, tasks.load?.missing], ['success', [1, 2, 3], undefined]);
    assert.deepEqual(await activitiesOf(repeated), ['load[1]', 'b']);
    assert.equal((await describeRun(worker.client, repeated)).isPartial, undefined);
  });

  it('rerun repeats the failed items of lists inside lists, with empty lists between them', async () => {
    const run = await start(loads('continue', 'over: [[], [1, 2], [], [3], []], as: row, expand: {over: row, as: part}', '{{ part }}'));
    assert.deepEqual((await resultOf(run)).tasks.load?.output, [[], [1, null], [], [3], []]);
    const repeated = await rerun(run);
    assert.deepEqual((await resultOf(repeated)).tasks.load?.output, [[], [1, 2], [], [3], []]);
    assert.deepEqual(await activitiesOf(repeated), ['load[1][1]', 'b']);
  });

  it('finish runs all items and fails; rerun repeats the one that failed', async () => {
    const run = await start(loads('finish'));
    await assert.rejects(
      resultOf(run),
      (error) => error instanceof WorkflowFailedError && /load\[1\] failed \(2 of 3 items/.test(String(error.cause)),
    );
    assert.deepEqual(await activitiesOf(run), ['load[0]', 'load[1]', 'load[2]']);
    const repeated = await rerun(run);
    assert.deepEqual((await resultOf(repeated)).tasks.load?.output, [1, 2, 3]);
    assert.deepEqual(await activitiesOf(repeated), ['load[1]', 'b']);
  });
});
