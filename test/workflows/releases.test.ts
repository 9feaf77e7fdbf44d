import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { after, before, describe, it } from 'mocha';
import { type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { heartbeatUntil } from '../support/heartbeat-until.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

const NEXT = fileURLToPath(new URL('../fixtures/next-release/index.ts', import.meta.url));
const RUNS = 10;

/** What docs/07-changing-the-interpreter.md promises. */
describe('workers of two releases side by side', function () {
  this.timeout('3m');
  let environment: Record<string, string>;
  let released: TestWorker;
  /** Tasks named `wait` end when it is set. */
  let open = false;
  const activities = {
    work: async (): Promise<null> => null,
    wait: async (): Promise<null> => {
      await heartbeatUntil(() => open);
      return null;
    },
  };
  const taskQueue = `releases-${randomUUID()}`;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    released = await startTestWorker(environment, activities, taskQueue);
  });
  let next: TestWorker | undefined;
  after(() => next?.close());

  // Retries, as pipelines have them: a task on its way to the worker that stops may be lost, and costs an attempt.
  const again = { heartbeatTimeoutMs: 3000, retry: { maximumAttempts: 4, initialDelayMs: 100, backoff: 1, maximumDelayMs: 100 } };
  const plan = planOf('released', [task('a', 'work', [], again), task('b', 'wait', ['a'], again), task('c', 'work', ['b'], again)]);
  const start = (client: TestWorker['client']): Promise<RunReference> => startManualRun(client, plan, taskQueue, SOME_DAY, randomUUID());
  const isPatched = async ({ client }: TestWorker, { pipelineRunId }: RunReference): Promise<boolean> =>
    (await client.workflow.getHandle(pipelineRunId).fetchHistory()).events?.some(({ markerRecordedEventAttributes: marker }) => marker) ??
    false;

  it('active runs continue as they started, new ones as in the next release, and none is lost', async () => {
    const { client } = released;
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: NEXT, logger: new DefaultLogger('ERROR') });
    const before = await Promise.all(Array.from({ length: RUNS }, () => start(client)));
    for (const { pipelineRunId } of before) {
      await eventually(async () =>
        assert.ok(
          (await client.workflow.getHandle(pipelineRunId).describe()).raw.pendingActivities?.some(({ activityId }) => activityId === 'b'),
        ),
      );
    }
    next = await startTestWorker(environment, activities, taskQueue, workflowBundle);
    // Both serve the queue; runs go from one to the other and back.
    const during = await Promise.all(Array.from({ length: RUNS }, () => start(next?.client ?? client)));
    open = true;
    await released.close();
    const after = await Promise.all(Array.from({ length: RUNS }, () => start(next?.client ?? client)));
    for (const run of [...before, ...during, ...after]) {
      const { state } = (await next.client.workflow.getHandle(run.pipelineRunId).result()) as RunResult;
      assert.equal(state, 'success');
    }
    for (const run of before) assert.equal(await isPatched(next, run), false);
    for (const run of after) assert.equal(await isPatched(next, run), true);
  });
});
