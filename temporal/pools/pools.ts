import { type Client, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { poolId, poolName, RESIZE_POOL, SLOTS_QUERY, SLOTS_WORKFLOW, type SlotsInput } from '../../workflows/plan/slots/slot-messages.ts';
import type { SlotState } from '../../workflows/plan/slots/slots.ts';
import { answered, answerIfAny } from '../answer.ts';
import { DecisionRefused } from '../runs/decisions.ts';
import { ofDeployment } from '../names.ts';
import { slotsOfDeployment } from './slots-of-deployment.ts';

/** A pool and its state. */
export interface PoolState {
  readonly name: string;
  /** The id of its workflow. */
  readonly id: string;
  /** The task queue of its deployment. */
  readonly deployment: string;
  /** Absent if no worker answers. */
  readonly state?: SlotState;
}

/** Sets the number of slots of a pool; creates the pool if it does not exist. @throws DecisionRefused, NoAnswer */
export async function resizePool(client: Client, taskQueue: string, name: string, slots: number): Promise<void> {
  const input: SlotsInput = { kind: 'pool', state: { capacity: 0, holders: [], waiting: [], served: [] } };
  const workflowId = await slotsOfDeployment(client, taskQueue, poolId(name));
  const startWorkflowOperation = new WithStartWorkflowOperation(SLOTS_WORKFLOW, {
    workflowId,
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [input],
    staticSummary: 'Slots that tasks share',
  });
  try {
    await answered(client, workflowId, () =>
      client.workflow.executeUpdateWithStart(RESIZE_POOL, { args: [slots], startWorkflowOperation }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new DecisionRefused(error.cause?.message ?? error.message);
    throw error;
  }
}

/** Lists the pools of a deployment by name. @param taskQueue absent: of all deployments */
export async function listPools(client: Client, taskQueue?: string): Promise<PoolState[]> {
  const pools: Promise<PoolState>[] = [];
  const query = `WorkflowType = "${SLOTS_WORKFLOW}" AND ExecutionStatus = "Running"${ofDeployment(taskQueue)}`;
  for await (const { workflowId: id, taskQueue: deployment } of client.workflow.list({ query })) {
    const name = poolName(id);
    if (name === undefined) continue;
    const asked = answerIfAny(client, id, () => client.workflow.getHandle(id).query(SLOTS_QUERY));
    pools.push(asked.then((state) => ({ name, id, deployment, ...(state && { state }) })));
  }
  return (await Promise.all(pools)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
