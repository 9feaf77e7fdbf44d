import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { after, before, describe, it } from 'mocha';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { TASK_TABLE_QUERY } from '../../../workflows/plan/tasks/task-table.ts';
import { eventually } from '../../support/eventually.ts';
import { EditedSensor } from '../../support/histories/edited-sensor.ts';
import { openStage, type Stage } from '../../support/histories/stage.ts';
import { planOf } from '../../support/yaml-runs.ts';

const { PENDING_ACTIVITY_STATE_SCHEDULED: SCHEDULED } = temporal.api.enums.v1.PendingActivityState;

/** With encryption, as in the local stack: the server adds a payload of its own, which it cannot encrypt. */
describe('what is cancelled while no worker has it', function () {
  this.timeout('3m');
  let stage: Stage;

  before(async function () {
    this.timeout('20m');
    stage = await openStage(1);
  });
  after(() => stage.close());

  const waitsForWorker = (id: string, attempt: number): Promise<void> =>
    eventually(async () => {
      const [activity] = (await stage.client.workflow.getHandle(id).describe()).raw.pendingActivities ?? [];
      assert.deepEqual([activity?.state, activity?.attempt], [SCHEDULED, attempt], `state and attempt of the activity of ${id}`);
    }, 30_000);

  const losesConnection = 'SELECT pg_terminate_backend(pg_backend_pid())';
  const tasks = [
    { when: 'between two attempts', attempt: 2, task: `{name: a, type: sql, sql: "${losesConnection}", retries: 3, retry_delay: 1h}` },
    { when: 'in a queue without workers', attempt: 1, task: '{name: a, type: sql, sql: "SELECT 1", queue: no_worker_polls_it}' },
  ];
  for (const { when, attempt, task } of tasks) {
    it(`a task ${when} ends with its run`, async () => {
      const { client } = stage;
      const { taskQueue } = stage.workers[0] ?? assert.fail();
      const plan = planOf(`dag_id: cancels_${when.replaceAll(' ', '_')}_${stage.tag}\ntasks: [${task}]\n`);
      const interval = { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' };
      const { pipelineRunId } = await startManualRun(client, plan, taskQueue, interval, 'one', {});
      const handle = client.workflow.getHandle(pipelineRunId);
      await waitsForWorker(pipelineRunId, attempt);
      await handle.cancel();
      await assert.rejects(handle.result(), WorkflowFailedError);
      const { tasks: states } = await handle.query(TASK_TABLE_QUERY, { outputs: false });
      assert.equal(states.a?.state, 'canceled');
    });
  }

  it('a sensor that changes before its consumer has started takes the new plan', async () => {
    const sensor = await EditedSensor.create(stage, 'edits');
    // Some of these edits meet a consumer that the server has not handed over yet.
    for (const edit of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']) await sensor.apply('start', edit);
    await sensor.startsRun(60_000);
  });
});
