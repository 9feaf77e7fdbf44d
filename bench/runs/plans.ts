import type { ExpandPlan, Plan, TaskPlan } from '../../workflows/plan/plan.ts';

export const INTERVAL = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };

/** Tasks in sequence. */
export function chain(length: number): Plan {
  return planOf(Array.from({ length }, (_, index) => task(index, index === 0 ? [] : [`t${index - 1}`])));
}

/** Tasks in parallel. */
export function fanOut(width: number): Plan {
  return planOf(Array.from({ length: width }, (_, index) => task(index, [])));
}

/** One task for each item of a list. */
export function mapped(count: number, batchSize: number, maxParallel: number): Plan {
  const expand: ExpandPlan = {
    over: Array.from({ length: count }, (_, item) => item),
    as: 'item',
    maxParallel,
    batchSize,
    onItemFailure: 'fail',
  };
  return planOf([{ ...task(0, []), expand }]);
}

function planOf(tasks: readonly TaskPlan[]): Plan {
  return { format: 1, dagId: 'bench', hash: '0'.repeat(64), tags: [], schedule: null, tasks };
}

function task(index: number, dependsOn: readonly string[]): TaskPlan {
  return {
    name: `t${index}`,
    type: 'work',
    summary: 'does nothing',
    dependsOn,
    triggerRule: 'all_success',
    params: {},
    retry: { maximumAttempts: 4, initialDelayMs: 10_000, backoff: 2, maximumDelayMs: 3_600_000 },
    executionTimeoutMs: 3_600_000,
    heartbeatTimeoutMs: 15_000,
    allowFailure: false,
  };
}
