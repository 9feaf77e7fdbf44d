import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { eventually } from '../../support/eventually.ts';
import { EditedSensor } from '../../support/histories/edited-sensor.ts';
import { openStage, type Stage } from '../../support/histories/stage.ts';

describe('a sensor whose worker dies', function () {
  this.timeout('2m');
  let stage: Stage;

  before(async function () {
    this.timeout('20m');
    stage = await openStage(1);
  });
  after(() => stage.close());

  it('continues when its pipeline changes before the death is noticed', async () => {
    const { client } = stage;
    const { worker } = stage.workers[0] ?? assert.fail();
    const sensor = await EditedSensor.create(stage, 'dies');
    const isConsuming = (): Promise<void> =>
      eventually(async () => {
        const { pendingActivities } = (await client.workflow.getHandle(sensor.id).describe()).raw;
        assert.ok(pendingActivities?.some(({ lastHeartbeatTime, lastStartedTime }) => lastStartedTime && lastHeartbeatTime));
      }, 60_000);
    await sensor.apply('start', 'before');
    await isConsuming();
    await worker.kill();
    // The server still waits for the heartbeat of the consumer that is gone, and does not retry what it was asked to cancel.
    await sensor.apply('update', 'after');
    await sensor.startsRun(90_000);
  });
});
