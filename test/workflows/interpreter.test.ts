import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { followRun } from '../../temporal/follow-run.ts';
import { startManualRun } from '../../temporal/runs.ts';
import type { JsonObject } from '../../workflows/plan/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/run.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startedTasks, toyActivities } from '../support/toy-activities.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';
import { assertCase, casePlan, CASES } from './run/language-cases.ts';

/** The SDK sends heartbeats on after 80 % of this. */
const QUICK = { heartbeatTimeoutMs: 1000 };

describe('interpreter', () => {
  let worker: TestWorker;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, toyActivities);
  });
  after(() => worker.close());

  async function run(plan: Plan, params?: JsonObject): Promise<{ result: RunResult; error?: ApplicationFailure }> {
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params);
    try {
      return { result: (await worker.client.workflow.getHandle(pipelineRunId).result()) as RunResult };
    } catch (error) {
      assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
      return { result: error.cause.details?.[0] as RunResult, error: error.cause };
    }
  }

  describe('does on Temporal what the simulation says', () => {
    for (const [subject, cases] of Object.entries(CASES)) {
      for (const [title, tasks, expected, given = {}] of cases) {
        // What takes hours, and what people do, has tests of its own below.
        if (/\b(slow|flaky|approval|hold_on_failure|takes)\b/.test(tasks) || given.cancel !== undefined) continue;
        it(`${subject}: ${title}`, async () => assertCase((await run(casePlan(tasks, given), given.params)).result, expected));
      }
    }
  });

  it('says which task failed and why', async () => {
    const { error } = await run(planOf('why', [task('good', 'succeed'), task('bad', 'fail', ['good'])]));
    assert.equal(error?.type, 'PipelineFailed');
    assert.equal(error?.message, 'bad failed (1 of 2 tasks succeeded): the reason');
  });

  it('forgives a task that may fail', async () => {
    const { result } = await run(planOf('forgiving', [task('a', 'fail', [], { allowFailure: true })]));
    assert.deepEqual([result.state, result.tasks.a?.state], ['success', 'failed']);
  });

  it('hands data from task to task, by interval', async () => {
    const { result } = await run(
      planOf('handover', [
        task('make', 'make_data', [], { outputBase: 's3://b/handover/make' }),
        task('take', 'tell_input', ['make'], { inputFrom: 'make' }),
      ]),
    );
    const data = { uri: 's3://b/handover/make/20240101T000000Z/', rows: 3, bytes: 12 };
    assert.deepEqual(result.tasks.take?.output, { input: data, interval: SOME_DAY });
  });

  it('ends a run that takes too long as failed', async () => {
    const { result, error } = await run(planOf('slow', [task('a', 'hang', [], QUICK), task('b', 'succeed', ['a'])], { runTimeoutMs: 500 }));
    assert.equal(error?.type, 'DagrunTimeout');
    assert.deepEqual([result.tasks.a?.state, result.tasks.b?.state], ['canceled', 'canceled']);
  });

  it('cancels running tasks with the run, and starts no others', async () => {
    const plan = planOf('cancelled', [task('a', 'hang', [], QUICK), task('never', 'succeed', ['a'])]);
    const reference = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
    const states: string[] = [];
    const end = await followRun(
      worker.client,
      reference,
      {
        task({ task: name, state }) {
          if (states.at(-1) !== `${name} ${state}`) states.push(`${name} ${state}`);
          if (name === 'a' && state === 'running') void worker.client.workflow.getHandle(reference.pipelineRunId).cancel();
        },
      },
      AbortSignal.timeout(30_000),
    );
    assert.equal(end.state, 'canceled');
    assert.equal(states.at(-1), 'a canceled');
    assert.ok(!startedTasks.includes('never'));
  });

  it('shows the tasks and their states as current details', async () => {
    const { client } = worker;
    const { pipelineRunId } = await startManualRun(
      client,
      planOf('details', [task('a', 'make_data')]),
      worker.taskQueue,
      SOME_DAY,
      randomUUID(),
    );
    await client.workflow.getHandle(pipelineRunId).result();
    const metadata = await client.workflow.getHandle(pipelineRunId).query<{ currentDetails: string }>('__temporal_workflow_metadata');
    assert.match(metadata.currentDetails, /1 of 1 tasks done[^]*✔ a {2}success {3}3 rows, 12 B/);
  });

  it('costs a plain chain no more history than a hand-written workflow', async () => {
    const names = ['a', 'b', 'c'];
    const plan = planOf(
      'cost',
      names.map((name, index) => task(name, 'succeed', names.slice(Math.max(0, index - 1), index))),
    );
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
    await worker.client.workflow.getHandle(pipelineRunId).result();
    const { events } = await worker.client.workflow.getHandle(pipelineRunId).fetchHistory();
    // Start, the first workflow task (3), then 3 + 3 events a task, the end, and the state as a search attribute.
    assert.equal(events?.length, 1 + 3 + names.length * 6 + 1 + 1);
  });
});
