import type { Json } from './json.ts';
import type { Plan } from './plan.ts';
import type { DataInterval } from './schedule.ts';
import type { TaskState } from './task-state.ts';

/** Why a run exists. */
export const CAUSES = ['scheduled', 'manual'] as const;
export type Cause = (typeof CAUSES)[number];

/** The one argument of every pipeline run's workflow. Wire data, as the plan is. */
export interface RunInput {
  readonly plan: Plan;
  readonly cause: Cause;
  /** Absent for a scheduled run: it follows from the tick. */
  readonly interval?: DataInterval;
}

export interface TaskResult {
  readonly state: TaskState;
  readonly output?: Json;
  /** The failure's message, for a failed task. */
  readonly error?: string;
}

/** What a run's workflow returns, and carries as details of its failure when it fails. */
export interface RunResult {
  readonly state: 'success' | 'failed' | 'canceled';
  readonly interval: DataInterval;
  readonly tasks: Readonly<Record<string, TaskResult>>;
}
