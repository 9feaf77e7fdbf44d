import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import type { FormerId } from '../events/event-id.ts';
import type { Cause } from '../../workflows/plan/runs/run.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { QuietTime, SensorReport, StartClaim } from '../../workflows/plan/sensor.ts';

/** A run that an event asks for. */
export interface RunRequest {
  readonly plan: Plan;
  /** The type of the trigger. */
  readonly cause: Cause;
  /** What tells it from all other runs of its pipeline with this cause. */
  readonly id: string;
  /** Ids under which it may be there already. */
  readonly former?: readonly FormerId[];
  /** The trigger that asks for it. */
  readonly trigger?: string;
  readonly params: JsonObject;
  readonly event: RunEvent;
  /** Absent: the one that the pipeline's schedule has at the time of the event. */
  readonly interval?: DataInterval;
  /** How far the event reaches, where it stands for several; kept with the run. */
  readonly upTo?: string;
}

/** Whose runs: a pipeline's, or those that have made one of several data sets. */
export type EndedRuns = { readonly dagId: string } | { readonly datasets: readonly string[] };

/** A run that has ended. */
export interface EndedRun {
  readonly runId: string;
  readonly dagId: string;
  readonly state: string;
  readonly cause: string;
  readonly interval?: DataInterval;
  /** ISO 8601. */
  readonly endedAt: string;
  /** The data sets that it has made. */
  readonly datasets: readonly string[];
}

/** What has started a run. */
export interface RunOrigin {
  /** Of the run: the kind of trigger, where one has started it. */
  readonly cause: string;
  /** The event, where a trigger has started it. */
  readonly event?: RunEvent;
  /** The connection of that trigger, where it names one. */
  readonly connId?: string;
  /** The run that waits for it, where a task has started it. */
  readonly parent?: string;
}

/** What sensors ask of Temporal. */
export interface RunStarts {
  /**
   * Starts a run. Resolves when the server has it, or had it before.
   * @throws StartRefused when the server takes no such run
   * @throws whatever the connection throws; asking again is safe
   */
  start(run: RunRequest): Promise<'started' | 'known'>;
  /** How far the event of a run reaches; undefined when it does not say, and when there is no such run. */
  upTo(run: string): Promise<string | undefined>;
  /** The ids, as `start` was given them, of a pipeline's newest runs with this cause. */
  recent(dagId: string, cause: string): Promise<string[]>;
  /** Whether the server has a run whose workflow id begins as that of `run`; absent where no server is asked. */
  hasAny?(run: Pick<RunRequest, 'plan' | 'cause' | 'id'>): Promise<boolean>;
  /** The runs that have ended at `since` (ISO 8601) or later, by the time of their ends: those of a pipeline, or all that made one of the data sets. */
  ended(which: EndedRuns, since: string): Promise<EndedRun[]>;
  /** What has started a run; undefined when there is no such run. Absent where no server is asked. */
  startedBy?(run: string): Promise<RunOrigin | undefined>;
  /** The workflow id that `run` gets. */
  idOf(run: Pick<RunRequest, 'plan' | 'cause' | 'id'>): string;
  /** The runs of a pipeline with this cause that have not ended, by workflow id. */
  open(dagId: string, cause: string): Promise<string[]>;
  /** Those of `runs` that have not ended. */
  stillOpen(runs: readonly string[]): Promise<string[]>;
  /** Tells a sensor's workflow how its consumer stands. */
  report(sensorId: string, report: SensorReport): Promise<void>;
  /**
   * Asks for the right to start a run under `mode: cooldown`; asking again for the same run is answered the same.
   * @returns undefined: it may start; else the quiet time after the last run
   */
  claim(sensorId: string, claim: StartClaim): Promise<QuietTime | undefined>;
}

export type Cursor = Json | undefined;
