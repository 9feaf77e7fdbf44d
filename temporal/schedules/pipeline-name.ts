import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { nameIn, type PipelineName } from '../../workflows/plan/ids.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';

/**
 * Finds the name of a pipeline of a deployment: of its Schedule, or the name that it would get.
 * @param taskQueue of the deployment
 */
export async function pipelineName(client: Client, taskQueue: string, dagId: string): Promise<PipelineName> {
  const owner = await ownerOf(client, dagId);
  if (owner === taskQueue) return dagId;
  const own = nameIn(taskQueue, dagId);
  return owner !== undefined || (await ownerOf(client, own)) !== undefined ? own : dagId;
}

/** The deployment that a Schedule belongs to; undefined if there is none, or Sluice did not make it. */
async function ownerOf(client: Client, name: PipelineName): Promise<string | undefined> {
  try {
    return (await client.schedule.getHandle(name).describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.queue);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
