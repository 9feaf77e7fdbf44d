import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { after, before, describe, it } from 'mocha';
import { dataConverterFrom } from '../../../temporal/codec/codec.ts';
import { connectWorker } from '../../../temporal/worker/connect-worker.ts';
import {
  applySensorChange,
  diffSensors,
  listRunningSensors,
  pauseSensor,
  resetSensor,
  resumeSensor,
} from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import {
  NO_COUNTS,
  SENSOR_QUERY,
  sensorId,
  sensorQueue,
  type SensorCall,
  type SensorEnd,
  type SensorState,
} from '../../../workflows/plan/sensor.ts';
import { eventually } from '../../support/eventually.ts';
import { heartbeatUntil } from '../../support/heartbeat-until.ts';
import { planOf, task } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

describe('commands to a sensor', function () {
  this.timeout('1m');
  let worker: TestWorker;
  let close: () => Promise<void>;
  /** Sensors whose consumer runs at the moment. */
  const consuming = new Set<string>();
  /** Sensors that are being reset, and what lets each go on. */
  const resetting = new Map<string, () => void>();
  const resets: string[] = [];
  const end: SensorEnd = { counts: NO_COUNTS };

  const activities = {
    async kafka_sensor({ sensorId: id }: SensorCall): Promise<SensorEnd> {
      consuming.add(id);
      try {
        await heartbeatUntil();
        return end;
      } catch (error) {
        if (error instanceof CancelledFailure) return end;
        throw error;
      } finally {
        consuming.delete(id);
      }
    },
    async kafka_sensor_reset({ sensorId: id }: SensorCall, to: string): Promise<SensorEnd> {
      assert.ok(!resetting.has(id), 'one reset at a time');
      assert.ok(!consuming.has(id), 'nothing is consumed during a reset');
      await new Promise<void>((resolve) => resetting.set(id, resolve));
      resetting.delete(id);
      resets.push(`${id} ${to}`);
      return end;
    },
  };

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, {});
    const { connection, namespace } = await connectWorker(environment);
    const sensors = await Worker.create({
      connection,
      namespace,
      taskQueue: sensorQueue(worker.taskQueue),
      dataConverter: dataConverterFrom(environment),
      maxHeartbeatThrottleInterval: '100ms',
      activities,
    });
    const running = sensors.run();
    close = async () => {
      sensors.shutdown();
      await running;
      await connection.close();
      await worker.close();
    };
  });
  after(() => close());

  const planned = (): Plan =>
    planOf(`commanded_${randomUUID().slice(0, 8)}`, [task('a', 'succeed')], {
      hash: randomUUID(),
      triggers: [{ name: 't', type: 'kafka', mode: { kind: 'each' }, onInvalid: 'skip', parallelism: 1, source: { topic: 'x' } }],
    });
  const state = (id: string): Promise<SensorState> => worker.client.workflow.getHandle(id).query(SENSOR_QUERY);
  const runs = (id: string): Promise<void> => eventually(async () => assert.ok(consuming.has(id), `${id} consumes`));
  const isReset = (id: string): Promise<void> => eventually(async () => assert.ok(resetting.has(id), `${id} is being reset`));
  /** What `scheduler.ts` does with files of these plans, as far as it concerns one pipeline. */
  const apply = async (dagId: string, plans: readonly Plan[]): Promise<void> => {
    const running = (await listRunningSensors(worker.client, worker.taskQueue)).filter((sensor) => sensor.dagId === dagId);
    for (const change of diffSensors(plans, running, () => false)) await applySensorChange(worker.client, change, worker.taskQueue);
  };
  const begin = async (): Promise<{ id: string; plan: Plan }> => {
    const plan = planned();
    await apply(plan.dagId, [plan]);
    const id = sensorId(plan.dagId, 't');
    await runs(id);
    return { id, plan };
  };

  it('two resets at once are carried out one after the other, and it continues', async () => {
    const { id } = await begin();
    const first = resetSensor(worker.client, id, { by: 'ann', to: 'earliest' });
    await isReset(id);
    const second = resetSensor(worker.client, id, { by: 'bob', to: 'latest' });
    assert.match((await state(id)).why ?? '', /by ann: resets it to earliest/);
    resetting.get(id)?.();
    assert.equal(await first, 'moved to earliest');
    await isReset(id);
    resetting.get(id)?.();
    assert.equal(await second, 'moved to latest');
    await runs(id);
    assert.equal((await state(id)).state, 'running');
    assert.deepEqual(
      resets.filter((each) => each.startsWith(id)),
      [`${id} earliest`, `${id} latest`],
    );
  });

  it('a pause during a reset holds', async () => {
    const { id } = await begin();
    const reset = resetSensor(worker.client, id, { by: 'ann', to: 'earliest' });
    await isReset(id);
    await pauseSensor(worker.client, id, { by: 'bob', reason: 'the topic is broken' });
    resetting.get(id)?.();
    await reset;
    await eventually(async () =>
      assert.deepEqual([(await state(id)).state, (await state(id)).why], ['paused', 'by bob: the topic is broken']),
    );
    assert.ok(!consuming.has(id));
    await resumeSensor(worker.client, id, { by: 'bob' });
    await runs(id);
  });

  it('a resume during a reset holds too, and a reset of a paused sensor leaves it paused', async () => {
    const { id } = await begin();
    await pauseSensor(worker.client, id, { by: 'bob' });
    const first = resetSensor(worker.client, id, { by: 'ann', to: 'earliest' });
    await isReset(id);
    resetting.get(id)?.();
    await first;
    await eventually(async () => assert.equal((await state(id)).why, 'by bob'));
    const second = resetSensor(worker.client, id, { by: 'ann', to: 'latest' });
    await isReset(id);
    await resumeSensor(worker.client, id, { by: 'bob' });
    resetting.get(id)?.();
    await second;
    await runs(id);
  });

  it('a sensor that is deleted and applied again within a second runs, and one that is deleted does not', async () => {
    const { id, plan } = await begin();
    const { runId } = await worker.client.workflow.getHandle(id).describe();
    await apply(plan.dagId, []);
    // As the scheduler does it: at each edit, and now and then.
    await eventually(async () => {
      await apply(plan.dagId, [plan]);
      const sensor = await worker.client.workflow.getHandle(id).describe();
      assert.deepEqual([sensor.status.name, sensor.runId !== runId], ['RUNNING', true]);
    });
    await runs(id);
    await apply(plan.dagId, []);
    await eventually(async () => assert.equal((await worker.client.workflow.getHandle(id).describe()).status.name, 'CANCELLED'));
    assert.ok(!consuming.has(id));
  });

  it('a plan that comes while the sensor ends is not lost', async () => {
    const { id, plan } = await begin();
    const { workflow } = worker.client;
    const { runId } = await workflow.getHandle(id).describe();
    await apply(plan.dagId, []);
    // Straight after it: the sensor still stops its consumer, and takes the signal.
    await applySensorChange(worker.client, { id, action: 'start', plan, trigger: 't' }, worker.taskQueue);
    await eventually(async () => {
      const sensor = await workflow.getHandle(id).describe();
      assert.notEqual(sensor.runId, runId);
      assert.equal(sensor.status.name, 'RUNNING');
    });
    await runs(id);
    await workflow.getHandle(id).cancel();
  });
});
