import type { Plan } from '../workflows/plan/plan.ts';
import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';

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
  readonly hasStarted: boolean;
  /** The plan that it carries; edits do not change what it promised. */
  readonly plan: Plan;
  /** The promises that its outputs do not keep, with the reason. */
  readonly broken?: ReadonlyMap<string, string>;
  /** Its tasks, where one of them promises something. */
  readonly tasks?: readonly WatchedTask[];
  /** Its tasks that wait for people, where its pipeline names whom to notify of that; absent: not asked, or no worker answers. */
  readonly waits?: readonly OpenWait[];
}

export interface WatchedTask {
  readonly task: string;
  readonly startedAt?: number;
  readonly hasEnded: boolean;
}

/** A run that Temporal no longer has, and that was not seen to end. */
export interface RemovedRun {
  readonly pipelineRunId: string;
  /** When its absence was noticed, milliseconds. */
  readonly noticedAt: number;
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
  /** Runs that Temporal removed in the last hour although they had not ended. */
  readonly removed?: readonly RemovedRun[];
  /** The starts of the intervals for which its schedule says that it has started a run, whether Temporal still has the run or not. */
  readonly started?: ReadonlySet<string>;
  /** Temporal may have removed what ended before this time: no run is expected to be there. Absent: nothing is removed. */
  readonly keptSince?: number;
  /** When its last successful run has ended. */
  readonly lastSuccess?: number;
  /** When data sets that it promises something of were last made, by URI; absent: never, as far as is known. */
  readonly updates?: ReadonlyMap<string, number>;
}
