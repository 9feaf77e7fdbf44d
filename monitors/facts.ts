import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import type { Observation } from '../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { ReadMismatch } from '../workflows/plan/datasets/mismatch.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { WatchedPipeline, WatchedRun } from './watched.ts';

/** What was found in one check, and what could not be checked. */
export interface Checked<T> {
  readonly found: T;
  /** Why something could not be checked, by what it is about: a dag_id, or the id of a sensor. */
  readonly unchecked: ReadonlyMap<string, string>;
}

/** What monitors ask of Temporal, and what they tell it (temporal/monitors/monitor-facts.ts). */
export interface MonitorFacts {
  /**
   * All pipelines with their runs, at the time `now` (milliseconds).
   * @param remembered keys of problems: the runs that they are about are there, however old they are
   */
  pipelines(now: number, remembered: readonly string[]): Promise<Checked<WatchedPipeline[]>>;
  /** Whether there is a worker for the task queue of the pipelines. */
  workersAnswer(): Promise<boolean>;
  sensors(): Promise<Checked<SensorFacts[]>>;
  /** What a page tells of a run. */
  runDetails(run: WatchedRun): Promise<RunDetails>;
  /** The last success of a pipeline but for the run `except`: that one may have broken a promise. */
  lastSuccess(dagId: string, except: WatchedRun | undefined): Promise<LastSuccess | undefined>;
  /** When the next run of a pipeline is due, ISO 8601. */
  nextTick(plan: Plan, now: number): string | undefined;
  observe(incident: string, observation: Observation): Promise<void>;
  /**
   * What became of incidents that should be open: `ended` by an operator, or `gone` because somebody deleted them. Those that are open, or
   * that are not looked up at this time, are left out. @param now milliseconds
   */
  lostIncidents(incidents: readonly string[], now: number): Promise<ReadonlyMap<string, 'ended' | 'gone'>>;
  /** The page of a run in the Temporal UI; undefined when it is not known where that is. */
  urlOf(run: Pick<WatchedRun, 'pipelineRunId' | 'temporalRunId'>): string | undefined;
  /** The list of a pipeline's runs there. */
  urlOfRuns(dagId: string): string | undefined;
}

export interface SensorFacts {
  readonly id: string;
  readonly dagId: string;
  /** Absent where no worker answers. */
  readonly state?: string;
  readonly why?: string;
  /** What is in its way. */
  readonly problem?: string;
  readonly events: number;
  /** Events that it reads in a second, lately. */
  readonly rate: number;
  readonly lag: number;
  /** Events that its source has removed before they were read. */
  readonly lost: number;
}

export interface RunDetails {
  readonly interval?: DataInterval;
  readonly error?: string;
  /** The task that failed first, with its last attempt. */
  readonly failed?: { readonly task: string; readonly attempt: number; readonly error?: string };
  /** The comparisons that have found more differences than are tolerated, or that tolerate some and say so. */
  readonly mismatches?: readonly TaskMismatch[];
  /** Items of lists that have failed, a line each. */
  readonly failedItems?: readonly string[];
  /** With the defaults of its plan. */
  readonly params?: JsonObject;
  /** The tasks that have neither ended nor wait for others, a line each: what each does, and for what it waits. */
  readonly standing?: readonly string[];
  /** What tasks have said of their rows. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What a task has found that compares data in two places. */
export interface TaskMismatch extends ReadMismatch {
  readonly task: string;
  /** All that it says. */
  readonly text: string;
}

/** The last run of a pipeline that succeeded. */
export interface LastSuccess {
  /** Milliseconds. */
  readonly endedAt: number;
  /** Whether it went on without some items of its lists. */
  readonly isPartial: boolean;
  readonly plan: Plan;
  /** With the defaults of its plan. */
  readonly params: JsonObject;
}
