import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import type { FormerId } from '../events/event-id.ts';
import type { Cause } from '../../workflows/plan/runs/run.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { QuietTime, SensorReport, StartClaim } from '../../workflows/plan/sensor.ts';

/** A run requested by an event. */
export interface RunRequest {
  readonly plan: Plan;
  /** Of the pipeline in its deployment; default: its dag_id. */
  readonly name?: PipelineName;
  /** The type of the trigger. */
  readonly cause: Cause;
  /** Identifies it among the runs of its pipeline with this cause. */
  readonly id: string;
  /** Other ids under which it may already exist. */
  readonly former?: readonly FormerId[];
  /** The trigger that requests it. */
  readonly trigger?: string;
  readonly params: JsonObject;
  readonly event: RunEvent;
  /** Default: the schedule's interval at the time of the event. */
  readonly interval?: DataInterval;
  /** The last event covered, if the run covers several; recorded with the run. */
  readonly upTo?: string;
}

/** Selects runs: of a pipeline, or those that updated one of several datasets. */
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
  /** The datasets that it updated. */
  readonly datasets: readonly string[];
}

/** The origin of a run. */
export interface RunOrigin {
  /** The run's cause: the trigger type, if a trigger started it. */
  readonly cause: string;
  /** The event, if a trigger started it. */
  readonly event?: RunEvent;
  /** The connection of that trigger, if it names one. */
  readonly connId?: string;
  /** The run that waits for it, if a task started it. */
  readonly parent?: string;
}

/** Requests of sensors to Temporal. */
export interface RunStarts {
  /**
   * Starts a run. Resolves when the server has it, or already had it.
   * @throws StartRefused when the server refuses such a run
   * @throws any error of the connection; repeating the call is safe
   */
  start(run: RunRequest): Promise<'started' | 'known'>;
  /** The `upTo` of a run; undefined if it has none, or if there is no such run. */
  upTo(run: string): Promise<string | undefined>;
  /** The ids, as passed to `start`, of a pipeline's newest runs with this cause. */
  recent(name: PipelineName, cause: string): Promise<string[]>;
  /** Whether the server has a run whose workflow id starts with that of `run`; absent without a server. */
  hasAny?(run: Pick<RunRequest, 'plan' | 'name' | 'cause' | 'id'>): Promise<boolean>;
  /** Runs of the deployment that ended at or after `since` (ISO 8601), sorted by end: of a pipeline, or all that updated one of the datasets. */
  ended(which: EndedRuns, since: string): Promise<EndedRun[]>;
  /** The origin of a run; undefined if there is no such run. Absent without a server. */
  startedBy?(run: string): Promise<RunOrigin | undefined>;
  /** The workflow id of `run`. */
  idOf(run: Pick<RunRequest, 'plan' | 'name' | 'cause' | 'id'>): string;
  /** The unfinished runs of a pipeline with this cause, by workflow id. */
  open(dagId: string, cause: string): Promise<string[]>;
  /** The unfinished ones among `runs`. */
  stillOpen(runs: readonly string[]): Promise<string[]>;
  /** Reports the status of a sensor's consumer to its workflow. */
  report(sensorId: string, report: SensorReport): Promise<void>;
  /**
   * Requests permission to start a run in `mode: cooldown`; repeating the request for the same run gives the same answer.
   * @returns undefined if it may start; else the quiet time after the last run
   */
  claim(sensorId: string, claim: StartClaim): Promise<QuietTime | undefined>;
}

export type Cursor = Json | undefined;
