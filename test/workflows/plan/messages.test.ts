import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as incident from '../../../workflows/plan/incidents/incident.ts';
import * as backfill from '../../../workflows/plan/runs/backfill.ts';
import { CANCEL_REQUEST, DECIDE, RESOLVE_HELD, RUN_UPDATES, TASK_UPDATES } from '../../../workflows/plan/runs/decision.ts';
import * as sensor from '../../../workflows/plan/sensor.ts';
import * as slots from '../../../workflows/plan/slots/slot-messages.ts';
import { TASK_TABLE_QUERY } from '../../../workflows/plan/tasks/task-table.ts';

describe('messages of workflows', () => {
  it('keep their kinds and names: runs and clients of other releases use them', () => {
    const all = [incident, backfill, sensor, slots, { CANCEL_REQUEST, DECIDE, RESOLVE_HELD, TASK_TABLE_QUERY }, RUN_UPDATES, TASK_UPDATES]
      .flatMap((each) => Object.values<unknown>(each))
      .filter((each): each is { type: string; name: string } => typeof each === 'object' && each !== null && 'type' in each)
      .map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(all.sort(), [
      'query alive',
      'query incident',
      'query monitor',
      'query progress',
      'query sensor',
      'query slots',
      'query task-table',
      'signal cancel-word',
      'signal monitor-expects',
      'signal observe',
      'signal release-slots',
      'signal request-slots',
      'signal sensor-plan',
      'signal sensor-report',
      'signal slots-answer',
      'signal slots-shortage',
      'update acknowledge-incident',
      'update claim-start',
      'update decide',
      'update mark-success',
      'update pause',
      'update pause',
      'update pause-sensor',
      'update reset-sensor',
      'update resize',
      'update resolve-held',
      'update resolve-incident',
      'update resume',
      'update resume-sensor',
      'update retry',
      'update skip',
      'update unpause',
    ]);
  });
});
