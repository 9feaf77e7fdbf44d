import type { Client } from '@temporalio/client';
import { poolId, RELEASE_SLOTS, SLOTS_ANSWER } from '../../workflows/plan/slots/slot-messages.ts';
import { stuckRequests, type StuckRequest } from '../../workflows/plan/slots/stuck-requests.ts';
import { listPools, type PoolState } from './pools.ts';

/** Finds the requests of these pools that are deadlocked. */
export function deadlocksIn(pools: readonly PoolState[]): StuckRequest[] {
  return stuckRequests(new Map(pools.flatMap(({ name, state }) => (state ? [[name, state]] : []))));
}

/**
 * Ends a deadlock of tasks that hold pool slots and wait for runs that need each other's slots: rejects one request, so that its task fails
 * and releases its slots. All callers reject the same request.
 */
export async function endDeadlock(client: Client): Promise<void> {
  const [first] = deadlocksIn(await listPools(client))
    .filter(({ request }) => (request.behind ?? []).length > 0)
    .sort((a, b) => (a.request.key < b.request.key ? -1 : 1));
  if (!first) return;
  const { key, workflowId, runId } = first.request;
  await client.workflow.getHandle(poolId(first.pool)).signal(RELEASE_SLOTS, key);
  await client.workflow.getHandle(workflowId, runId).signal(SLOTS_ANSWER, { key, granted: false });
}
