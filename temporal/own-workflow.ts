import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { idIn } from '../workflows/plan/ids.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/runs/search-attributes.ts';

/** Thrown when an operator request concerns something that belongs to another deployment. */
export class OfAnotherDeployment extends Error {
  override readonly name = 'OfAnotherDeployment';
}

/**
 * Finds what a user names in a deployment: a run, a backfill, a sensor or an incident.
 * @param taskQueue of the deployment
 * @param id its workflow id; the deployment in it may be left out
 * @returns its whole workflow id; `id` itself if there is no such workflow
 * @throws OfAnotherDeployment
 */
export async function ownWorkflow(client: Client, taskQueue: string, id: string): Promise<string> {
  const owner = await ownerOf(client, id);
  if (owner === taskQueue) return id;
  const own = idIn(taskQueue, id);
  if ((await ownerOf(client, own)) === taskQueue) return own;
  if (owner === undefined) return id;
  throw new OfAnotherDeployment(
    `${id} belongs to the deployment '${owner}', and this command acts on '${taskQueue}'. To act on it, set SLUICE_TASK_QUEUE=${owner}.`,
  );
}

/** The deployment that a workflow belongs to; undefined if there is no such workflow. */
async function ownerOf(client: Client, id: string): Promise<string | undefined> {
  try {
    const { taskQueue, typedSearchAttributes } = await client.workflow.getHandle(id).describe();
    // Incidents run on the task queue of monitors.
    return typedSearchAttributes.get(SEARCH_ATTRIBUTES.queue) ?? taskQueue;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
