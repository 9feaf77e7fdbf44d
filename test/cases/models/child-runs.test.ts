import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { createActivities } from '../../../activities/create-activities.ts';
import { startManualRun } from '../../../temporal/runs.ts';
import type { RunResult } from '../../../workflows/plan/run.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { surroundings } from '../../support/surroundings.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { TOYS } from '../../support/toy-language.ts';
import type { JsonObject } from '../../../workflows/plan/json.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

const unique = randomUUID().slice(0, 8);

describe('runs that a task starts', function () {
  this.timeout('1m');
  let worker: TestWorker;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, createActivities(TOYS, surroundings(environment)));
  });
  after(() => worker.close());

  async function start(tasks: string, child: string, childKeys: JsonObject): Promise<string> {
    const pipelines = { [child]: { tasks: [{ name: 'x', type: 'hang' }], ...childKeys } };
    const plan = casePlan(tasks.replaceAll('child', child), { pipelines });
    return (await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID())).pipelineRunId;
  }

  async function failureOf(run: string): Promise<RunResult> {
    const error: unknown = await worker.client.workflow
      .getHandle(run)
      .result()
      .then(assert.fail, (failure: unknown) => failure);
    assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
    return error.cause.details?.[0] as RunResult;
  }

  it('a run that somebody cancels fails its task, and is not repeated; nor is what has no room a success', async () => {
    const child = `child_${unique}`;
    const keys = { concurrency: { limit: 1, on_overlap: 'cancel_new' } };
    const run = await start('a: run_pipeline with {dag_id: child, retries: 3, retry_delay: 50ms}', child, keys);
    const handle = worker.client.workflow.getHandle(`${child}/pipeline/${run}/a`);
    await eventually(async () => assert.equal((await handle.describe()).raw.pendingActivities?.length, 1), 20_000);
    const second = await failureOf(await start('a: run_pipeline with {dag_id: child}', child, keys));
    assert.equal(second.tasks.a?.error, `The run of '${child}' did not begin: there was no room.`);
    await handle.cancel();
    const { tasks } = await failureOf(run);
    assert.deepEqual([tasks.a?.state, tasks.a?.error], ['failed', `The run of '${child}' was cancelled.`]);
  });
});
