import type { Client } from '@temporalio/client';
import { RELEASE_SLOTS, SLOTS_ANSWER } from '../../workflows/plan/slots/slot-messages.ts';
import { stuckRequests, type StuckRequest } from '../../workflows/plan/slots/stuck-requests.ts';
import { listPools, type PoolState } from './pools.ts';

/** Finds the requests of these pools that are deadlocked. `pool` of the result is the id of the pool's workflow. */
export function deadlocksIn(pools: readonly PoolState[]): StuckRequest[] {
  return stuckRequests(new Map(pools.flatMap(({ id, state }) => (state ? [[id, state]] : []))));
}

/**
 * Ends a deadlock of tasks that hold pool slots and wait for runs that need each other's slots: rejects one request, so that its task fails
 * and releases its slots. All callers of a deployment reject the same request.
 */
export async function endDeadlock(client: Client, taskQueue: string): Promise<void> {
  const [first] = deadlocksIn(await listPools(client, taskQueue))
    .filter(({ request }) => (request.behind ?? []).length > 0)
    .sort((a, b) => (a.request.key < b.request.key ? -1 : 1));
  if (!first) return;
  const { key, workflowId, runId } = first.request;
  await client.workflow.getHandle(first.pool).signal(RELEASE_SLOTS, key);
  await client.workflow.getHandle(workflowId, runId).signal(SLOTS_ANSWER, { key, granted: false });
}
