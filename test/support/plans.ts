import type { Plan, TaskPlan } from '../../workflows/plan/plan.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';

/** A task of a plan for interpreter tests: no retries, short timeouts. */
export function task(name: string, type: string, dependsOn: readonly string[] = [], more: Partial<TaskPlan> = {}): TaskPlan {
  return {
    name,
    type,
    summary: `${type} ${name}`,
    dependsOn,
    triggerRule: 'all_success',
    params: {},
    retry: { maximumAttempts: 1, initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 },
    executionTimeoutMs: 30_000,
    heartbeatTimeoutMs: 10_000,
    allowFailure: false,
    ...more,
  };
}

export function planOf(dagId: string, tasks: readonly TaskPlan[], more: Partial<Plan> = {}): Plan {
  return { format: 1, dagId, hash: '0'.repeat(64), tags: [], schedule: null, tasks, ...more };
}

export const SOME_DAY: DataInterval = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };
