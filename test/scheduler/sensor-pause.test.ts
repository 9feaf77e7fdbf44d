import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { applyDeployment, listApplied, type Outcome } from '../../temporal/deployment/apply.ts';
import { diffDeployment, type ProjectPipelines } from '../../temporal/deployment/changes.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { listRunningSensors, pauseSensor, resumeSensor } from '../../temporal/sensors/sensors.ts';
import { SENSOR_QUERY, sensorId, type SensorState } from '../../workflows/plan/sensor.ts';
import { compileYaml } from '../support/compile-yaml.ts';
import { eventually } from '../support/eventually.ts';
import { startSensorWorker } from '../support/sensor-worker.ts';
import type { TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

describe('sensors of a pipeline that is deleted', function () {
  this.timeout('2m');
  let worker: TestWorker;
  const dagId = `sensed_${randomUUID().slice(0, 8)}`;
  const plan = compileYaml(
    `dag_id: ${dagId}\ntriggers: [{name: made, type: dataset, any: ["s3://lake/${dagId}"]}]\ntasks: [{name: a, type: empty}]\n`,
  );
  const file = 'pipelines/a.yaml';
  const project = (plans: ProjectPipelines['plans']): ProjectPipelines => ({ project: 'acme', paths: ['pipelines'], plans, broken: [] });
  const [present, gone] = [project([{ plan, file }]), project([])];
  const id = sensorId(dagId, 'made');

  before(async function () {
    this.timeout('15m');
    worker = await startSensorWorker((await testStack(['temporal'])).environment);
  });
  after(() => worker.close());

  async function apply(wanted: ProjectPipelines, client: Client = worker.client): Promise<(string | undefined)[]> {
    const options = { prune: true, allowDelete: 9 };
    const outcomes: [string, Outcome][] = [];
    const changes = diffDeployment(wanted, await listApplied(worker.client, worker.taskQueue, wanted), options);
    await applyDeployment(client, worker.taskQueue, changes, {
      onPipeline: ({ dagId: of, action }, outcome) => outcomes.push([`${action} ${of}`, outcome]),
      onSensor: ({ id: of, action }, outcome) => outcomes.push([`${action} ${of}`, outcome]),
    });
    return outcomes.map(([what, outcome]) => ('failure' in outcome ? `${what}: ${outcome.failure}` : what));
  }
  const state = (): Promise<SensorState> => worker.client.workflow.getHandle(id).query(SENSOR_QUERY);
  /** Temporal's lists lag a moment behind. */
  const listed = (schedules: number, sensors: number): Promise<void> =>
    eventually(async () => {
      const found = await Promise.all([
        listSchedules(worker.client, worker.taskQueue),
        listRunningSensors(worker.client, worker.taskQueue),
      ]);
      assert.deepEqual(
        found.map(({ length }) => length),
        [schedules, sensors],
      );
    });

  it('stay paused when it comes back, and their pause is forgotten once they are resumed', async () => {
    const [created, deleted] = [
      [`create ${dagId}`, `start ${id}`],
      [`stop ${id}`, `delete ${dagId}`],
    ];
    assert.deepEqual(await apply(present), created);
    await listed(1, 1);
    await pauseSensor(worker.client, id, { by: 'ann', reason: 'the lake is wrong' });
    assert.deepEqual(await apply(gone), deleted);
    await listed(0, 0);
    assert.deepEqual(await apply(present), created);
    await listed(1, 1);
    assert.deepEqual((await state()).paused, { by: 'ann', reason: 'the lake is wrong' });
    await resumeSensor(worker.client, id, { by: 'ann' });
    await eventually(async () => assert.equal((await state()).state, 'running'));
    // The list of sensors must show it too.
    await eventually(async () =>
      assert.equal((await worker.client.workflow.getHandle(id).describe()).searchAttributes.SluiceState?.[0], 'running'),
    );
    await apply(gone);
    await listed(0, 0);
    await apply(present);
    await listed(1, 1);
    assert.equal((await state()).state, 'running');
  });

  it('keep its schedule if they cannot be stopped', async () => {
    const { connection, options } = worker.client;
    const refusing = new Client({
      connection,
      namespace: options.namespace,
      interceptors: { workflow: [{ cancel: () => Promise.reject(new Error('the server is away')) }] },
    });
    assert.deepEqual(await apply(gone, refusing), [
      `stop ${id}: the server is away`,
      `delete ${dagId}: its sensor ${id} could not be stopped: the server is away`,
    ]);
    await listed(1, 1);
    await apply(gone);
    await listed(0, 0);
  });
});
