import type { TaskPlan } from '../plan/plan.ts';
import { poolId } from '../plan/slot-messages.ts';
import type { RunHost, RunScope } from './run-host.ts';

/** Of tasks that say nothing. */
const MIDDLE_PRIORITY = 3;

/**
 * Does a task's work in its pool, if it has one.
 * @param id of the activity, for people
 * @param shows what is to be shown while it waits, and when it has begun
 * @throws TaskCanceled
 */
export async function inPool<T>(
  host: RunHost,
  { pool, priority = MIDDLE_PRIORITY }: TaskPlan,
  id: string,
  scope: RunScope,
  work: () => Promise<T>,
  shows?: (state: 'queued' | 'running', note?: string) => void,
): Promise<T> {
  if (!pool) return work();
  const { name, slots } = pool;
  shows?.('queued', `waits for pool ${name}`);
  const release = await host.acquire(
    { workflowId: poolId(name), kind: 'pool', what: id, slots, priority, onOverlap: 'queue', summary: `pool ${name}` },
    scope,
  );
  shows?.('running');
  try {
    return await work();
  } finally {
    await release?.();
  }
}
