import type { Plan } from '../workflows/plan/plan.ts';
import type { DataInterval } from '../workflows/plan/schedule.ts';

/** A run as monitors see it. Times in milliseconds. */
export interface WatchedRun {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
  readonly cause: string;
  readonly state: string;
  readonly interval?: DataInterval;
  readonly queuedAt: number;
  /** Absent while it waits for its turn. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Whether a worker has taken its first step. */
  readonly begun: boolean;
  /** The plan that it carries; edits do not change what it promised. */
  readonly plan: Plan;
  /** The promises that its outputs do not keep, with the reason. */
  readonly broken?: ReadonlyMap<string, string>;
  /** Its tasks, where one of them promises something. */
  readonly tasks?: readonly WatchedTask[];
}

export interface WatchedTask {
  readonly task: string;
  readonly startedAt?: number;
  readonly hasEnded: boolean;
}

/** A pipeline and what is known of it. Times in milliseconds. */
export interface WatchedPipeline {
  readonly plan: Plan;
  /** Since when its schedule is there. */
  readonly createdAt: number;
  readonly paused: boolean;
  /** Why it was paused, as whoever did has noted. */
  readonly note?: string;
  readonly runs: readonly WatchedRun[];
  /** When its last successful run has ended. */
  readonly lastSuccess?: number;
  /** When data sets that it promises something of were last made, by URI; absent: never, as far as is known. */
  readonly updates?: ReadonlyMap<string, number>;
}
