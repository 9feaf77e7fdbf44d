import type { Variables } from '../plan/expressions/evaluator.ts';
import type { JsonObject } from '../plan/values/json.ts';
import type { TaskResult } from '../plan/runs/run.ts';
import type { DataInterval } from '../plan/timetable/schedule.ts';
import type { RunIdentity } from '../plan/tasks/task-input.ts';

/** What a run is given beside its plan. */
export interface RunContext {
  readonly pipelineRunId: string;
  readonly interval: DataInterval;
  /** With the defaults of the plan. */
  readonly params: JsonObject;
  /** The values of all names in expressions but `outputs` and items; empty where the plan has no expressions. */
  readonly values: Variables;
  /** Whether it fills in the past. */
  readonly isBackfill?: boolean;
  /** Whether it stands for an interval of the timetable, which need not be the newest. */
  readonly isOfTimetable?: boolean;
  /** The time, in milliseconds since 1970, at which the host's clock says 0: of a simulated run. */
  readonly clockZero?: number;
  /** For tasks that keep their effects apart by run. Absent where there is no run, as in `sluice test`. */
  readonly identity?: RunIdentity;
  /** What it takes over from the run that it repeats. */
  readonly kept?: Readonly<Record<string, TaskResult>>;
}
