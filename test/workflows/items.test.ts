import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, it } from 'mocha';
import { readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import { type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { SOME_DAY } from '../support/plans.ts';
import { workerOfSuite } from '../support/temporal-suite.ts';
import { casePlan } from './run/language-cases.ts';

const ITEMS = Array.from({ length: 1200 }, (_, index) => index);

describe('long lists', function () {
  this.timeout('3m');
  const worker = workerOfSuite();

  const plan = (task: string) =>
    casePlan(task, { file: { params: { bad: -1, list: { type: 'array', items: { type: 'integer' }, default: ITEMS } } } });
  const start = (task: string, params: JsonObject = {}): Promise<RunReference> =>
    startManualRun(worker.client, plan(task), worker.taskQueue, SOME_DAY, randomUUID(), params);
  const handle = ({ pipelineRunId }: RunReference) => worker.client.workflow.getHandle(pipelineRunId);
  const parts = async (run: RunReference): Promise<string[]> =>
    (await handle(run).fetchHistory()).events?.flatMap(
      ({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.workflowId ?? [],
    ) ?? [];

  it('are worked through in parts, each with a separate history; the output is the list, in order', async () => {
    const run = await start('a: ok with {expand: {over: params.list, max_parallel: 200}, give: "{{ item * 2 }}"}');
    const { tasks } = (await handle(run).result()) as RunResult;
    assert.deepEqual(
      tasks.a?.output,
      ITEMS.map((item) => item * 2),
    );
    assert.equal(tasks.a?.note, '1200 of 1200 items');
    assert.deepEqual(
      (await parts(run)).map((id) => id.slice(run.pipelineRunId.length)),
      ['/a/0', '/a/1', '/a/2'],
    );
    const { historyLength } = await handle(run).describe();
    assert.ok(historyLength < 60, `${historyLength} events`);
  });

  it('a list that is written in the pipeline is not passed to each of the parts', async () => {
    const list = JSON.stringify(ITEMS.map(() => randomUUID()));
    const run = await start(`a: ok with {expand: {over: ${list}, max_parallel: 200}, give: 1}`);
    await handle(run).result();
    const { events } = await handle(run).fetchHistory();
    const inputs = events?.flatMap(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.input?.payloads ?? []) ?? [];
    assert.equal(inputs.length, 3);
    for (const { data } of inputs) assert.ok((data?.length ?? 0) < list.length / 3, `${data?.length} bytes of a list of ${list.length}`);
  });

  it('an item that fails is found, shown, and run again alone', async () => {
    const task =
      'a: ok with {expand: {over: params.list, max_parallel: 200, on_item_failure: fail}, give: "{{ item }}", poison: "{{ item == params.bad }}"}';
    const first = await start(task, { bad: 777 });
    await assert.rejects(
      handle(first).result(),
      (error) => error instanceof WorkflowFailedError && /a\[777\] failed/.test(String(error.cause)),
    );
    const ended = await readEndedRun(worker.client, first.pipelineRunId);
    const { missing = [] } = ended.tasks.a?.partial ?? {};
    assert.ok(missing.includes(777) && missing.length < 500, String(missing.length));
    const rerun = await startRerun(worker.client, worker.taskQueue, { run: ended, plan: ended.plan, params: { bad: -1 } }, Date.now());
    const { tasks } = (await handle(rerun).result()) as RunResult;
    assert.deepEqual(tasks.a?.output, ITEMS);
    assert.deepEqual(await parts(rerun), []);
    const { events } = await handle(rerun).fetchHistory();
    assert.equal(events?.filter(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled).length, missing.length);
  });

  it('end with their run when it is cancelled', async () => {
    const run = await start('a: hang with {heartbeat_timeout: 1s, expand: {over: params.list, max_parallel: 20}}');
    await eventually(async () => assert.equal((await parts(run)).length, 1));
    const [part = ''] = await parts(run);
    await eventually(async () => assert.ok((await worker.client.workflow.getHandle(part).describe()).raw.pendingActivities?.length));
    await handle(run).cancel();
    await assert.rejects(handle(run).result(), WorkflowFailedError);
    assert.equal((await handle(run).describe()).status.name, 'CANCELLED');
    assert.equal((await worker.client.workflow.getHandle(part).describe()).status.name, 'CANCELLED');
  });
});
