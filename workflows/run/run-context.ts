import type { Variables } from '../plan/expressions/evaluator.ts';
import type { JsonObject } from '../plan/values/json.ts';
import type { TaskResult } from '../plan/runs/run.ts';
import type { DataInterval } from '../plan/timetable/schedule.ts';
import type { RunIdentity } from '../plan/tasks/task-input.ts';

/** What a run is given besides its plan. */
export interface RunContext {
  readonly pipelineRunId: string;
  readonly interval: DataInterval;
  /** Includes the plan's defaults. */
  readonly params: JsonObject;
  /** The values of all names in expressions except `outputs` and items; empty if the plan has no expressions. */
  readonly values: Variables;
  /** Whether it is part of a backfill. */
  readonly isBackfill?: boolean;
  /** Whether it covers an interval of the schedule, which need not be the newest. */
  readonly isOfTimetable?: boolean;
  /** For simulated runs: the time at which the host's clock reads 0, in milliseconds since 1970. */
  readonly clockZero?: number;
  /** For tasks that isolate their effects by run. Absent without a real run, as in `sluice test`. */
  readonly identity?: RunIdentity;
  /** Task results that a rerun takes over from the earlier run. */
  readonly kept?: Readonly<Record<string, TaskResult>>;
}
