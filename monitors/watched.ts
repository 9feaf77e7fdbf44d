import type { Plan } from '../workflows/plan/plan.ts';
import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';

/** A run as seen by monitors. Times in milliseconds. */
export interface WatchedRun {
  readonly pipelineRunId: string;
  readonly temporalRunId: string;
  readonly cause: string;
  readonly state: string;
  readonly interval?: DataInterval;
  readonly queuedAt: number;
  /** Absent while it is queued. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Whether a worker has executed its first step. */
  readonly hasStarted: boolean;
  /** The plan that it executes; later edits do not change its SLAs. */
  readonly plan: Plan;
  /** SLAs that its outputs miss, with the reason. */
  readonly broken?: ReadonlyMap<string, string>;
  /** Its tasks, if one of them has an SLA. */
  readonly tasks?: readonly WatchedTask[];
  /** Its tasks that wait for people, if its pipeline has channels for waits; absent: not queried, or no worker responds. */
  readonly waits?: readonly OpenWait[];
}

export interface WatchedTask {
  readonly task: string;
  readonly startedAt?: number;
  readonly hasEnded: boolean;
}

/** A run that Temporal has removed before its end was seen. */
export interface RemovedRun {
  readonly pipelineRunId: string;
  /** When its absence was noticed, milliseconds. */
  readonly noticedAt: number;
}

/** A pipeline and its known state. Times in milliseconds. */
export interface WatchedPipeline {
  readonly plan: Plan;
  /** When its schedule was created. */
  readonly createdAt: number;
  readonly paused: boolean;
  /** The note of the person who paused it. */
  readonly note?: string;
  readonly runs: readonly WatchedRun[];
  /** Runs that Temporal removed in the last hour although they had not ended. */
  readonly removed?: readonly RemovedRun[];
  /** Starts of the intervals for which its schedule has started a run, even if Temporal no longer has the run. */
  readonly started?: ReadonlySet<string>;
  /** Runs that ended before this time may have been removed, so none is expected there. Absent: nothing is removed. */
  readonly keptSince?: number;
  /** When its last successful run ended. */
  readonly lastSuccess?: number;
  /** When the datasets of its SLAs were last updated, by URI; absent: no known update. */
  readonly updates?: ReadonlyMap<string, number>;
}
