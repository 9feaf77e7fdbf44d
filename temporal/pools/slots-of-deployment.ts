import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { slotsIdIn } from '../../workflows/plan/slots/slot-messages.ts';

/**
 * Finds the workflow that manages slots in a deployment.
 * @param id as in a plan: `pool/<name>`, or `<dag_id>/runs`
 * @returns the id itself while an earlier release's workflow of this deployment has it; else the id with the deployment
 */
export async function slotsOfDeployment(client: Client, taskQueue: string, id: string): Promise<string> {
  const own = slotsIdIn(taskQueue, id);
  return own === id || (await isRunningOn(client, taskQueue, id)) ? id : own;
}

async function isRunningOn(client: Client, taskQueue: string, id: string): Promise<boolean> {
  try {
    const { status, taskQueue: owner } = await client.workflow.getHandle(id).describe();
    return status.name === 'RUNNING' && owner === taskQueue;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
