import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { listRuns, startManualRun } from '../../temporal/runs/runs.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { assertNoOrphans } from '../support/interval-objects.ts';
import { createTestPipeline, seedPlan, type TestPipeline } from '../support/test-pipeline.ts';
import { killPart } from '../support/test-stack.ts';

const ROWS = 100_000;
/** The seed's document, with short patience so that the test takes a minute and not ten. */
const PLAN = () => seedPlan('default_args: {heartbeat_timeout: 5s, retry_delay: 1s}\n');

describe('product_category_etl through kills', function () {
  this.timeout('6m');
  let pipeline: TestPipeline;

  before(async function () {
    this.timeout('20m');
    pipeline = await createTestPipeline(ROWS);
  });
  after(() => pipeline.close());

  /** Resolves as soon as a worker works on `task`. */
  async function isRunning(pipelineRunId: string, task: string): Promise<void> {
    await eventually(async () => {
      const { raw } = await pipeline.client.workflow.getHandle(pipelineRunId).describe();
      const pending = raw.pendingActivities?.find(({ activityId }) => activityId === task);
      assert.ok(pending?.lastStartedTime, `${task} is not running`);
      assert.ok(pending.heartbeatDetails || pending.lastHeartbeatTime, `${task} has given no sign of life`);
    }, 120_000);
  }

  async function assertOneGoodRun(pipelineRunId: string, day: string): Promise<void> {
    const { client, environment, warehouse } = pipeline;
    const { state } = (await client.workflow.getHandle(pipelineRunId).result()) as RunResult;
    assert.equal(state, 'success');
    await pipeline.assertLoaded();
    await assertNoOrphans(PLAN(), day, environment);
    const loads = await warehouse.rows('SELECT * FROM sluice_loads WHERE pipeline_run_id = $1', [pipelineRunId]);
    assert.equal(loads.length, 1);
    await eventually(async () => {
      const runs = (await listRuns(client, 100, 'product_category_etl')).filter((run) => run.pipelineRunId === pipelineRunId);
      assert.equal(runs.length, 1);
    });
  }

  it('the worker is killed during each of the three tasks: one run, the right rows, no orphans', async () => {
    const { client, taskQueue } = pipeline;
    const day = { start: '2024-06-01T00:00:00Z', end: '2024-06-02T00:00:00Z' };
    let worker = await pipeline.startWorker();
    const { pipelineRunId } = await startManualRun(client, PLAN(), taskQueue, day, day.start);
    for (const task of ['extract_category_data', 'transform_category_data', 'load_category_data']) {
      await isRunning(pipelineRunId, task);
      await worker.stop('SIGKILL');
      worker = await pipeline.startWorker();
    }
    await assertOneGoodRun(pipelineRunId, day.start);
    await worker.stop();
  });

  it('the Temporal server is killed in the middle: the run continues', async () => {
    const { client, taskQueue } = pipeline;
    const day = { start: '2024-06-02T00:00:00Z', end: '2024-06-03T00:00:00Z' };
    const worker = await pipeline.startWorker();
    const { pipelineRunId } = await startManualRun(client, PLAN(), taskQueue, day, day.start);
    await isRunning(pipelineRunId, 'transform_category_data');
    await killPart('temporal');
    await eventually(() => assertOneGoodRun(pipelineRunId, day.start), 180_000);
    await worker.stop();
  });
});
