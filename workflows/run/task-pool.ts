import type { TaskPlan } from '../plan/plan.ts';
import { poolId } from '../plan/slots/slot-messages.ts';
import { type RunHost, type RunScope, type SlotCall, TaskFailed } from './run-host.ts';

/** Default priority of tasks. */
const MIDDLE_PRIORITY = 3;

/** Receives the status of a task in its pool, as text for people. */
export interface PoolWatch {
  waits?(note: string): void;
  /** The task requests more slots than the pool has. */
  cannotBegin(note: string): void;
  begins?(): void;
}

/**
 * Does a task's work in its pool, if it has one.
 * @param id of the activity, for people
 * @throws TaskCanceled; TaskFailed when all slots are held by tasks that wait for this run
 */
export async function inPool<T>(
  host: RunHost,
  { pool, priority = MIDDLE_PRIORITY }: TaskPlan,
  id: string,
  scope: RunScope,
  work: () => Promise<T>,
  watch?: PoolWatch,
): Promise<T> {
  if (!pool) return work();
  const { name, slots } = pool;
  watch?.waits?.(`waits for pool ${name}`);
  const call: SlotCall = {
    workflowId: poolId(name),
    kind: 'pool',
    what: id,
    slots,
    priority,
    onOverlap: 'queue',
    summary: `pool ${name}`,
    ...(watch && { onShortage: (capacity) => watch.cannotBegin(shortageOf(name, slots, capacity)) }),
  };
  const release = await host.acquire(call, scope);
  if (!release) throw new TaskFailed(deadlockOf(name));
  watch?.begins?.();
  try {
    return await work();
  } finally {
    await release();
  }
}

function deadlockOf(pool: string): string {
  return (
    `Deadlock in pool ${pool}: its slots are held by tasks that wait for this run. Take \`pool\` away from those run_pipeline tasks, or make room ` +
    `with \`sluice pools set ${pool} SLOTS\`.`
  );
}

/** Why a task that requests more slots than its pool has must wait, and what to do about it. */
function shortageOf(pool: string, slots: number, capacity: number): string {
  const has = capacity === 0 ? 'has no slots' : `has ${capacity} slot${capacity === 1 ? '' : 's'}, the task asks for ${slots}`;
  return `waits for pool ${pool}: it ${has}; \`sluice pools set ${pool} ${slots}\` makes room`;
}
