import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import type { Observation } from '../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { ReadMismatch } from '../workflows/plan/datasets/mismatch.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { WatchedConnector } from './connectors/watched-connector.ts';
import type { WatchedPipeline, WatchedRun } from './watched.ts';

/** The result of a check, and the parts that could not be checked. */
export interface Checked<T> {
  readonly found: T;
  /** Why a part could not be checked, by dag_id or sensor id. */
  readonly unchecked: ReadonlyMap<string, string>;
}

/** Reads facts from Temporal and reports observations to it (temporal/monitors/monitor-facts.ts). */
export interface MonitorFacts {
  /**
   * All pipelines with their runs at the time `now` (milliseconds).
   * @param remembered keys of open problems: includes the runs that they refer to, however old
   */
  pipelines(now: number, remembered: readonly string[]): Promise<Checked<WatchedPipeline[]>>;
  /** Whether the pipelines' task queue has a worker. */
  workersAnswer(): Promise<boolean>;
  sensors(): Promise<Checked<SensorFacts[]>>;
  /** The connectors of Kafka Connect that the deployment has applied. @param now milliseconds */
  connectors(now: number): Promise<Checked<readonly WatchedConnector[]>>;
  /** Details of a run for its page. */
  runDetails(run: WatchedRun): Promise<RunDetails>;
  /** The last success of a pipeline, apart from the run `except`, which may have missed an SLA. */
  lastSuccess(dagId: string, except: WatchedRun | undefined): Promise<LastSuccess | undefined>;
  /** When the next run of a pipeline is due, ISO 8601. */
  nextTick(plan: Plan, now: number): string | undefined;
  /** Reports to an incident. @returns the key under which it was opened, if another deployment has `incident`; else undefined */
  observe(incident: string, observation: Observation): Promise<string | undefined>;
  /**
   * The fate of incidents that should be open: `ended` by an operator, or `gone` because someone deleted them. Incidents that are open, or
   * that are not looked up this time, are left out. @param now milliseconds
   */
  lostIncidents(incidents: readonly string[], now: number): Promise<ReadonlyMap<string, 'ended' | 'gone'>>;
  /** The URL of a run in the Temporal UI; undefined if the UI's address is unknown. */
  urlOf(run: Pick<WatchedRun, 'pipelineRunId' | 'temporalRunId'>): string | undefined;
  /** The URL of a pipeline's list of runs there. */
  urlOfRuns(dagId: string): string | undefined;
}

export interface SensorFacts {
  readonly id: string;
  readonly dagId: string;
  /** Absent if no worker responds. */
  readonly state?: string;
  readonly why?: string;
  /** What blocks the sensor. */
  readonly problem?: string;
  readonly events: number;
  /** Events read per second, recently. */
  readonly rate: number;
  readonly lag: number;
  /** Events that the source removed before they were read. */
  readonly lost: number;
}

export interface RunDetails {
  readonly interval?: DataInterval;
  readonly error?: string;
  /** The first failed task, with its last attempt. */
  readonly failed?: { readonly task: string; readonly attempt: number; readonly error?: string };
  /** Comparisons that found more differences than tolerated, or that report tolerated ones. */
  readonly mismatches?: readonly TaskMismatch[];
  /** Failed batch items, one line each. */
  readonly failedItems?: readonly string[];
  /** Including the plan's defaults. */
  readonly params?: JsonObject;
  /** Unfinished tasks that do not wait for other tasks, one line each: what each does or waits for. */
  readonly standing?: readonly string[];
  /** Row counts from the outputs of tasks. */
  readonly rows: Readonly<Record<string, number>>;
}

/** The result of a task that compares data in two places. */
export interface TaskMismatch extends ReadMismatch {
  readonly task: string;
  /** The complete message. */
  readonly text: string;
}

/** The last run of a pipeline that succeeded. */
export interface LastSuccess {
  /** Milliseconds. */
  readonly endedAt: number;
  /** Whether it continued without some of its batch items. */
  readonly isPartial: boolean;
  readonly plan: Plan;
  /** Including the plan's defaults. */
  readonly params: JsonObject;
}
