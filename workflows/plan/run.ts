import type { Json, JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import type { DataInterval } from './schedule.ts';
import type { TaskState } from './task-state.ts';

/** Why a run exists. */
export const CAUSES = ['scheduled', 'manual', 'pipeline', 'backfill'] as const;
export type Cause = (typeof CAUSES)[number];

/** The one argument of every pipeline run's workflow. Wire data, as the plan is. */
export interface RunInput {
  readonly plan: Plan;
  readonly cause: Cause;
  /** Absent for a scheduled run: it follows from the tick. */
  readonly interval?: DataInterval;
  /** What the run was given; the plan's defaults stand for the rest. Frozen: a retry sees the same. */
  readonly params?: JsonObject;
}

export interface TaskResult {
  readonly state: TaskState;
  readonly output?: Json;
  /** The failure's message, for a failed task. */
  readonly error?: string;
  /** A few words for people: why it was skipped, who approved it, how many items are done. */
  readonly note?: string;
}

/** What a run's workflow returns, and carries as details of its failure when it fails. */
export interface RunResult {
  readonly state: 'success' | 'failed' | 'canceled';
  readonly interval: DataInterval;
  readonly tasks: Readonly<Record<string, TaskResult>>;
}
