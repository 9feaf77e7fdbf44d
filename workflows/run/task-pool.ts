import type { TaskPlan } from '../plan/plan.ts';
import { poolId } from '../plan/slots/slot-messages.ts';
import { type RunHost, type RunScope, type SlotCall, TaskFailed } from './run-host.ts';

/** Of tasks that say nothing. */
const MIDDLE_PRIORITY = 3;

/** Told how a task stands with its pool, in words for people. */
export interface PoolWatch {
  waits?(note: string): void;
  /** It asks for more slots than there are. */
  cannotBegin(note: string): void;
  begins?(): void;
}

/**
 * Does a task's work in its pool, if it has one.
 * @param id of the activity, for people
 * @throws TaskCanceled; TaskFailed when only those hold slots who wait for this run
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

/** Why a task waits that asks for more slots than its pool has, and what to do. */
function shortageOf(pool: string, slots: number, capacity: number): string {
  const has = capacity === 0 ? 'has no slots' : `has ${capacity} slot${capacity === 1 ? '' : 's'}, the task asks for ${slots}`;
  return `waits for pool ${pool}: it ${has}; \`sluice pools set ${pool} ${slots}\` makes room`;
}
