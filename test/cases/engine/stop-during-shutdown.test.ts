import assert from 'node:assert/strict';
import { temporal } from '@temporalio/proto';
import { after, before, describe, it } from 'mocha';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { TASK_TABLE_QUERY } from '../../../workflows/plan/tasks/task-table.ts';
import { eventually } from '../../support/eventually.ts';
import { EditedSensor } from '../../support/histories/edited-sensor.ts';
import { openStage, type Stage } from '../../support/histories/stage.ts';
import { planOf } from '../../support/yaml-runs.ts';

const { PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: CANCEL_REQUESTED } = temporal.api.enums.v1.PendingActivityState;

/** An attempt learns of a cancellation from its next heartbeat, up to 8 s later. Its worker shuts down before that. */
describe('an attempt that fails because its worker shuts down, after it was asked to stop', function () {
  this.timeout('3m');
  let stage: Stage;

  before(async function () {
    this.timeout('20m');
    stage = await openStage(1);
  });
  after(() => stage.close());

  /** The SDK sends the first heartbeat at once, and the next ones seconds later. */
  const sendsHeartbeats = (id: string): Promise<void> =>
    eventually(async () => {
      const { pendingActivities } = (await stage.client.workflow.getHandle(id).describe()).raw;
      assert.ok(pendingActivities?.[0]?.lastHeartbeatTime, `a heartbeat of ${id}`);
    }, 60_000);

  const isAskedToStop = (id: string): Promise<void> =>
    eventually(async () => {
      const { pendingActivities } = (await stage.client.workflow.getHandle(id).describe()).raw;
      assert.equal(pendingActivities?.[0]?.state, CANCEL_REQUESTED, `the state of the activity of ${id}`);
    }, 30_000);

  it('does not stop a sensor: it continues with its new plan where it was', async () => {
    const { worker } = stage.workers[0] ?? assert.fail();
    const sensor = await EditedSensor.create(stage, 'shuts');
    await sensor.apply('start', 'before');
    await sendsHeartbeats(sensor.id);
    await sensor.apply('update', 'after');
    await isAskedToStop(sensor.id);
    await worker.replace();
    await sensor.startsRun(90_000);
  });

  it('does not fail a task of a cancelled run: it is cancelled', async () => {
    const { client } = stage;
    const { worker, taskQueue } = stage.workers[0] ?? assert.fail();
    const name = `cancels_${stage.tag}`;
    const plan = planOf(`
dag_id: ${name}
tasks: [{name: a, type: sql, sql: "SELECT pg_sleep(120)", retries: 3, heartbeat_timeout: 30s}]
`);
    const interval = { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' };
    const { pipelineRunId } = await startManualRun(client, plan, taskQueue, interval, 'one', {});
    const handle = client.workflow.getHandle(pipelineRunId);
    await sendsHeartbeats(pipelineRunId);
    await handle.cancel();
    await isAskedToStop(pipelineRunId);
    await worker.replace();
    await assert.rejects(handle.result(), /cancel/i);
    const { tasks } = await handle.query(TASK_TABLE_QUERY, { outputs: false });
    assert.equal(tasks.a?.state, 'canceled');
  });
});
