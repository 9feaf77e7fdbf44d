import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { applySensorChange } from '../../../temporal/sensors/sensors.ts';
import { SENSOR_QUERY, sensorId } from '../../../workflows/plan/sensor.ts';
import { eventually } from '../../support/eventually.ts';
import { openStage, type Stage } from '../../support/histories/stage.ts';
import { planOf } from '../../support/yaml-runs.ts';

describe('a sensor whose worker dies', function () {
  this.timeout('2m');
  let stage: Stage;

  before(async function () {
    this.timeout('20m');
    stage = await openStage(1);
  });
  after(() => stage.close());

  it('continues when its pipeline changes before the death is noticed', async () => {
    const { client, kafka } = stage;
    const name = `dies_${stage.tag}`;
    const { worker, taskQueue } = stage.workers[0] ?? assert.fail();
    const id = sensorId(name, 'ev');
    await kafka.createTopic(name);
    const apply = (action: 'start' | 'update', description: string): Promise<void> => {
      const plan = planOf(`
dag_id: ${name}
description: ${description}
triggers: [{name: ev, type: kafka, topic: ${name}, start: earliest, dedup_key: event.key}]
tasks: [{name: a, type: empty}]
`);
      return applySensorChange(client, { id, action, plan, trigger: 'ev' }, taskQueue);
    };
    const isConsuming = (): Promise<void> =>
      eventually(async () => {
        const { pendingActivities } = (await client.workflow.getHandle(id).describe()).raw;
        assert.ok(pendingActivities?.some(({ lastHeartbeatTime, lastStartedTime }) => lastStartedTime && lastHeartbeatTime));
      }, 60_000);
    await apply('start', 'before');
    await isConsuming();
    await worker.kill();
    // The server still waits for the heartbeat of the consumer that is gone, and does not retry what it was asked to cancel.
    await apply('update', 'after');
    await kafka.sendJson(name, [{ key: 'k' }]);
    await eventually(() => client.workflow.getHandle(`${name}/kafka/k`).result(), 90_000);
    const { state, why } = await client.workflow.getHandle(id).query(SENSOR_QUERY);
    assert.deepEqual([state, why], ['running', undefined]);
    await applySensorChange(client, { id, action: 'stop' }, taskQueue);
  });
});
