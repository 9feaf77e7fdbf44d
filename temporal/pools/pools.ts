import { type Client, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { poolId, RESIZE_POOL, SLOTS_QUERY, SLOTS_WORKFLOW, type SlotsInput } from '../../workflows/plan/slots/slot-messages.ts';
import type { SlotState } from '../../workflows/plan/slots/slots.ts';
import { answered, answerIfAny } from '../answer.ts';
import { DecisionRefused } from '../runs/decisions.ts';

/** A pool and its state. */
export interface PoolState {
  readonly name: string;
  /** Absent if no worker answers. */
  readonly state?: SlotState;
}

/** Sets the number of slots of a pool; creates the pool if it does not exist. @throws DecisionRefused, NoAnswer */
export async function resizePool(client: Client, taskQueue: string, name: string, slots: number): Promise<void> {
  const input: SlotsInput = { kind: 'pool', state: { capacity: 0, holders: [], waiting: [], served: [] } };
  const startWorkflowOperation = new WithStartWorkflowOperation(SLOTS_WORKFLOW, {
    workflowId: poolId(name),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue,
    args: [input],
    staticSummary: 'Slots that tasks share',
  });
  try {
    await answered(client, poolId(name), () =>
      client.workflow.executeUpdateWithStart(RESIZE_POOL, { args: [slots], startWorkflowOperation }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new DecisionRefused(error.cause?.message ?? error.message);
    throw error;
  }
}

/** Lists all pools by name. */
export async function listPools(client: Client): Promise<PoolState[]> {
  const pools: Promise<PoolState>[] = [];
  const query = `WorkflowType = "${SLOTS_WORKFLOW}" AND ExecutionStatus = "Running"`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (!workflowId.startsWith(poolId(''))) continue;
    const name = workflowId.slice(poolId('').length);
    const asked = answerIfAny(client, workflowId, () => client.workflow.getHandle(workflowId).query(SLOTS_QUERY));
    pools.push(asked.then((state) => ({ name, ...(state && { state }) })));
  }
  return (await Promise.all(pools)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
