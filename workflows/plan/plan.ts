import type { TemplatePlace } from './expressions/template-place.ts';
import type { Shape } from './expressions/shape.ts';
import type { HostFact } from './tasks/failure.ts';
import type { CatchupPlan } from './timetable/intervals.ts';
import type { Json, JsonObject } from './values/json.ts';
import type { SchedulePlan } from './timetable/schedule.ts';
import type { AlertsPlan, SlaPlan } from './incidents/sla.ts';
import type { OnOverlap } from './slots/slots.ts';
import type { TriggerPlan } from './trigger.ts';
import type { TriggerRule } from './tasks/trigger-rule.ts';

/**
 * A pipeline as it runs: what the compiler makes of a YAML file, frozen in the input of every run. Everything is explicit: no defaults
 * are left to whoever reads it. Wire data: fields are added, never renamed; `format` goes up when old readers would misread it.
 */
export interface Plan {
  readonly format: 1;
  readonly dagId: string;
  /** SHA-256 (hexadecimal) over the canonical JSON of all other fields but `drawing`. */
  readonly hash: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  readonly docMd?: string;
  /** null: started by hand or by a sensor only. */
  readonly schedule: SchedulePlan | null;
  /** The time zone of a pipeline without a schedule, where it names one. */
  readonly timezone?: string;
  /** Which intervals since `start_date` that never ran are run when the pipeline is applied; absent: none. */
  readonly catchup?: CatchupPlan;
  readonly runTimeoutMs?: number;
  /** How many runs may be active at once, however they were started; absent: any number by hand, and those of the clock one after the other. */
  readonly maxActiveRuns?: number;
  readonly concurrency?: ConcurrencyPlan;
  /** What starts runs besides the clock. */
  readonly triggers?: readonly TriggerPlan[];
  /** What a run can be given, by name; absent: nothing. */
  readonly params?: Readonly<Record<string, ParamPlan>>;
  /** In an order in which each stands after all it depends on. */
  readonly tasks: readonly TaskPlan[];
  /** Run after `tasks`, as these have ended; `finally` last, also when the run was cancelled. */
  readonly onFailure?: readonly TaskPlan[];
  readonly onSuccess?: readonly TaskPlan[];
  readonly finally?: readonly TaskPlan[];
  /** What these read of `failure` that the run itself does not know; absent: nothing. */
  readonly failureFacts?: readonly HostFact[];
  /** What it promises, of its runs and of its tasks. */
  readonly slas?: readonly SlaPlan[];
  readonly alerts?: AlertsPlan;
  /** Who is notified when a run waits for people: for an approval, or with a task on hold. Absent: nobody. */
  readonly waitingAlerts?: AlertsPlan;
  /** Somebody is paged when a run fails or is late, whatever else is promised. */
  readonly critical?: boolean;
  /** The data sets that it reads, and those that a run has made when it has succeeded. */
  readonly inlets?: readonly string[];
  readonly outlets?: readonly string[];
  /** The types of names in expressions, where they are known; absent: the plan has no expressions. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** The IANA time zone of `ds`, of its kin and of functions for dates; absent: UTC, and so in plans of earlier releases. */
  readonly dateZone?: string;
  /** Connections of which expressions read a field. */
  readonly connections?: readonly string[];
  /** The pipelines that `run_pipeline` tasks start, by dag_id, and those that these start: frozen with this one. */
  readonly pipelines?: Readonly<Record<string, Plan>>;
  /** Keys of the language whose runtime this release does not have, with their values. A plan that has some is not applied. */
  readonly notYet?: Readonly<Record<string, Json>>;
  /**
   * The tasks and their dependencies as text, for the details of runs. Absent where the graph is too large to draw, and in plans of earlier
   * releases. It follows from the rest: it is added when the plan is handed to Temporal, and is not part of the hash.
   */
  readonly drawing?: string;
}

/** How many runs of one key may be active at once, and what happens to one too many. */
export interface ConcurrencyPlan {
  readonly limit: number;
  /** An expression; absent: all runs are of one key. */
  readonly key?: string;
  readonly onOverlap: OnOverlap;
}

export interface ParamPlan {
  /** JSON Schema of the value. */
  readonly schema: JsonObject;
  /** Absent: a run must be given one. */
  readonly default?: Json;
}

export interface TaskPlan {
  readonly name: string;
  readonly type: string;
  /** What the Temporal UI shows beside the task. */
  readonly summary: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: TriggerRule;
  /** The task group it belongs to; its name then begins with it. */
  readonly group?: string;
  readonly owner?: string;
  /** An expression; false skips the task. */
  readonly when?: string;
  readonly switch?: SwitchPlan;
  readonly expand?: ExpandPlan;
  readonly params: JsonObject;
  /** The strings in `params` that hold expressions. */
  readonly templates?: readonly TemplatePlace[];
  /** The task whose data set this one reads. */
  readonly inputFrom?: string;
  /** Where it writes: `s3://bucket/dag/task`; the interval is added when it runs. */
  readonly outputBase?: string;
  /** Its activity is told the hash of this plan, and keeps it with what it makes. */
  readonly lineage?: boolean;
  /** Its activity gets the identity of the run, and keeps its effects apart from those of other runs. Absent in plans of earlier releases. */
  readonly ownsEffects?: boolean;
  /**
   * It ends as the run that it starts: `retry` and the time limit are about that run, and a cancelled one is a failure. Absent in plans of
   * earlier releases, whose tasks try once.
   */
  readonly followsRun?: boolean;
  readonly retry: RetryPlan;
  /** Other rules for failures of certain types; the first that names the type counts. */
  readonly retryRules?: readonly RetryRule[];
  /** Out of attempts, the task waits so long for somebody to decide. */
  readonly holdOnFailureMs?: number;
  /** One attempt. */
  readonly executionTimeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Waiting for a worker; absent: as long as it takes. */
  readonly queueTimeoutMs?: number;
  /** The task queue of special workers; absent: the run's own. */
  readonly queue?: string;
  /** It waits for something: looked at now and then, with no worker in between. */
  readonly wait?: WaitPlan;
  /** Temporal's, 1 (first) to 5. */
  readonly priority?: number;
  /** Slots that all pipelines share; absent: it needs none. */
  readonly pool?: { readonly name: string; readonly slots: number };
  readonly allowFailure: boolean;
  /** It is skipped in runs that the clock and backfills start, unless their interval is the newest. */
  readonly latestOnly?: boolean;
  /** It starts only when it has succeeded, or was skipped, in the interval before. */
  readonly dependsOnPast?: boolean;
  /** Its output says how things stood: a rerun of what follows it asks again. */
  readonly outputExpires?: boolean;
  /** Of a task that follows the end of a run: the task whose effect it takes back. Only a rerun looks at it. */
  readonly undoes?: string;
}

/** A task that waits: `retry` says how often it looks. */
export interface WaitPlan {
  readonly timeoutMs: number;
  /** Out of time it is skipped, not failed. */
  readonly softFail: boolean;
}

export interface RetryPlan {
  /** The first attempt included; 0: without end. */
  readonly maximumAttempts: number;
  readonly initialDelayMs: number;
  readonly backoff: number;
  readonly maximumDelayMs: number;
}

/** What a failure of one type leads to instead of the task's ordinary retries. */
export interface RetryRule {
  readonly on: string;
  readonly action: 'retry' | 'fail';
  /** The wait before the next attempt; absent: as `retry` says. */
  readonly delayMs?: number;
}

/** A branch: of the tasks named here, those of the case that was taken go on, the others are skipped. */
export interface SwitchPlan {
  readonly on: string;
  readonly cases: Readonly<Record<string, readonly string[]>>;
  readonly default: readonly string[];
}

/** A task for each item of a list. */
export interface ExpandPlan {
  /** An expression, or the list itself. */
  readonly over: string | readonly Json[];
  /** The item's name in expressions. */
  readonly as: string;
  readonly maxParallel: number;
  /** How many items one activity works through. */
  readonly batchSize: number;
  /** Begin no further item and fail; run them all and fail; succeed without those that failed, as long as one did not. */
  readonly onItemFailure: 'fail' | 'finish' | 'continue';
  /** For each item, a task for each item of this list. */
  readonly expand?: Pick<ExpandPlan, 'over' | 'as'>;
  /**
   * The tasks whose outputs make the list. Where one of them gave none, the task ends as the list did: skipped, or with it failed. Absent in
   * plans of earlier releases, whose task fails, and whose nested lists lose those at their end that are empty.
   */
  readonly reads?: readonly string[];
}

export const PLAN_FORMAT = 1;

/** The time zone that a pipeline's times are meant in. */
export function timezoneOf({ schedule, timezone }: Pick<Plan, 'schedule' | 'timezone'>): string {
  return schedule?.timezone ?? timezone ?? 'UTC';
}

/** Every task of a plan: those that do its work, then those that follow its end. */
export function allTasks(plan: Plan): readonly TaskPlan[] {
  const { tasks, onFailure, onSuccess, finally: last } = plan;
  return onFailure || onSuccess || last ? [...tasks, ...(onFailure ?? []), ...(onSuccess ?? []), ...(last ?? [])] : tasks;
}
