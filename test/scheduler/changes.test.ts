import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { diffDeployment } from '../../temporal/deployment/changes.ts';

describe('what applying files changes', () => {
  const sensor = { id: 'sensor/of_another_team/events', dagId: 'of_another_team', planHash: 'x' };
  const changes = (prune: boolean) =>
    diffDeployment(
      { project: 'acme', paths: [''], plans: [], broken: [] },
      { schedules: [], files: new Map(), sensors: [sensor] },
      { prune },
    );

  it('stops no sensor whose schedule was not listed, unless deletions are allowed', () => {
    assert.deepEqual(changes(false).sensors, []);
    assert.deepEqual(changes(true).sensors, [{ id: sensor.id, action: 'stop' }]);
  });
});
