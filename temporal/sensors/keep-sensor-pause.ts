import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { type PipelineName, sensorOf } from '../../workflows/plan/ids.ts';
import { readPausedSensors, withSensorPause } from './paused-sensors.ts';
import { statusOf } from './sensors.ts';

/**
 * Records in the Schedule of a pipeline whether a sensor is paused. Called before both are deleted: if the pipeline returns, its sensor is
 * still paused.
 * @param name of the pipeline
 * @param id of the sensor
 */
export async function keepSensorPause(client: Client, name: PipelineName, id: string): Promise<void> {
  const { trigger } = sensorOf(id);
  const request = await pauseOf(client, id);
  const schedule = client.schedule.getHandle(name);
  try {
    const known = readPausedSensors((await schedule.describe()).action.memo);
    if (!request && known?.[trigger] === undefined) return;
    await schedule.update(({ spec, action, policies, state, typedSearchAttributes: attributes }) => ({
      spec,
      policies,
      state,
      typedSearchAttributes: attributes,
      action: { ...action, memo: withSensorPause(action.memo, trigger, request) },
    }));
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** The request that paused a sensor; undefined if it is not paused. */
async function pauseOf(client: Client, id: string): Promise<OperatorRequest | undefined> {
  try {
    const { state } = await statusOf(client, id);
    if (state?.state === 'paused') return state.paused ?? { by: 'unknown', ...(state.why !== undefined && { reason: state.why }) };
    if (state) return undefined;
    // No worker answers, so only the list shows whether it is paused.
    const { typedSearchAttributes } = await client.workflow.getHandle(id).describe();
    return typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) === 'paused' ? { by: 'unknown' } : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
