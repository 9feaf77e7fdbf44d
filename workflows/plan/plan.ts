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
 * A compiled pipeline: made from a YAML file, frozen in the input of every run. Everything is explicit: readers apply no defaults. Wire
 * data: fields are added, never renamed; `format` increases when old readers would misread it.
 */
export interface Plan {
  readonly format: 1;
  readonly dagId: string;
  /** SHA-256 (hexadecimal) over the canonical JSON of all other fields except `drawing`. */
  readonly hash: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  readonly docMd?: string;
  /** null: started only manually or by a sensor. */
  readonly schedule: SchedulePlan | null;
  /** The time zone of a pipeline without a schedule, if it sets one. */
  readonly timezone?: string;
  /** Which missed intervals since `start_date` are run when the pipeline is applied; absent: none. */
  readonly catchup?: CatchupPlan;
  readonly runTimeoutMs?: number;
  /** Maximum active runs, whatever started them; absent: unlimited for manual runs, and one scheduled run at a time. */
  readonly maxActiveRuns?: number;
  readonly concurrency?: ConcurrencyPlan;
  /** Event sources that start runs. */
  readonly triggers?: readonly TriggerPlan[];
  /** The parameters of a run, by name; absent: none. */
  readonly params?: Readonly<Record<string, ParamPlan>>;
  /** In topological order. */
  readonly tasks: readonly TaskPlan[];
  /** Run after `tasks`, depending on how they ended. `finally` is last, and also runs after a cancellation. */
  readonly onFailure?: readonly TaskPlan[];
  readonly onSuccess?: readonly TaskPlan[];
  readonly finally?: readonly TaskPlan[];
  /** The fields of `failure` that these tasks read and only the host knows; absent: none. */
  readonly failureFacts?: readonly HostFact[];
  /** The SLAs of its runs and tasks. */
  readonly slas?: readonly SlaPlan[];
  readonly alerts?: AlertsPlan;
  /** Channels to notify when a run waits for people: for an approval, or with a task on hold. Absent: none. */
  readonly waitingAlerts?: AlertsPlan;
  /** Page when a run fails or is late, even without SLAs. */
  readonly critical?: boolean;
  /** The datasets that it reads, and those that a successful run produces. */
  readonly inlets?: readonly string[];
  readonly outlets?: readonly string[];
  /** The known types of names in expressions; absent: the plan has no expressions. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** The IANA time zone of `ds`, similar names and date functions; absent: UTC, as in plans of earlier releases. */
  readonly dateZone?: string;
  /** Connections whose fields expressions read. */
  readonly connections?: readonly string[];
  /** The pipelines that `run_pipeline` tasks start, directly or indirectly, by dag_id. Frozen with this plan. */
  readonly pipelines?: Readonly<Record<string, Plan>>;
  /** Keys that this release cannot run, with their values. A plan with any is not applied. */
  readonly notYet?: Readonly<Record<string, Json>>;
  /**
   * The tasks and their dependencies as text, for the details of runs. Absent if the graph is too large to draw, and in plans of earlier
   * releases. Derived from the rest: it is added when the plan is passed to Temporal, and is not part of the hash.
   */
  readonly drawing?: string;
}

/** Maximum active runs per key, and what happens to further runs. */
export interface ConcurrencyPlan {
  readonly limit: number;
  /** An expression; absent: all runs share one key. */
  readonly key?: string;
  readonly onOverlap: OnOverlap;
}

export interface ParamPlan {
  /** JSON Schema of the value. */
  readonly schema: JsonObject;
  /** Absent: the parameter is required. */
  readonly default?: Json;
}

export interface TaskPlan {
  readonly name: string;
  readonly type: string;
  /** The version of the task type that it was compiled with; absent: 1. */
  readonly typeVersion?: number;
  /** Where its task type was defined: a file of the project, or a plugin. Absent: built in, and in plans of earlier releases. */
  readonly typeOrigin?: string;
  /** The text that the Temporal UI shows for the task. */
  readonly summary: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: TriggerRule;
  /** The task group it belongs to. The task's name starts with it. */
  readonly group?: string;
  readonly owner?: string;
  /** An expression; false skips the task. */
  readonly when?: string;
  readonly switch?: SwitchPlan;
  readonly expand?: ExpandPlan;
  readonly params: JsonObject;
  /** The strings in `params` that hold expressions. */
  readonly templates?: readonly TemplatePlace[];
  /** The task whose dataset this task reads. */
  readonly inputFrom?: string;
  /** Where it writes: `s3://bucket/dag/task`. The interval is appended at run time. */
  readonly outputBase?: string;
  /** Its activity gets the hash of this plan, and stores it with its output. */
  readonly lineage?: boolean;
  /** Its activity gets the identity of the run, and isolates its effects from other runs. Absent in plans of earlier releases. */
  readonly ownsEffects?: boolean;
  /**
   * It ends like the run that it starts: `retry` and the time limit apply to that run, and a cancelled run is a failure. Absent in plans of
   * earlier releases, whose tasks try once.
   */
  readonly followsRun?: boolean;
  readonly retry: RetryPlan;
  /** Retry rules for certain failure types; the first rule that names the type applies. */
  readonly retryRules?: readonly RetryRule[];
  /** After the last attempt, how long the task waits for a person to decide. */
  readonly holdOnFailureMs?: number;
  /** Limit for one attempt. */
  readonly executionTimeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Maximum wait for a worker; absent: unlimited. */
  readonly queueTimeoutMs?: number;
  /** The task queue of special workers; absent: the run's task queue. */
  readonly queue?: string;
  /** It waits for a condition by polling, and occupies no worker between polls. */
  readonly wait?: WaitPlan;
  /** Temporal's priority, 1 (first) to 5. */
  readonly priority?: number;
  /** Slots of a pool that all pipelines share; absent: none. */
  readonly pool?: { readonly name: string; readonly slots: number };
  readonly allowFailure: boolean;
  /** It is skipped in scheduled and backfill runs unless their interval is the newest. */
  readonly latestOnly?: boolean;
  /** It starts only after it succeeded, or was skipped, in the previous interval. */
  readonly dependsOnPast?: boolean;
  /** Its output describes a past state, so a rerun of its followers runs it again. */
  readonly outputExpires?: boolean;
  /** For a task that runs after the end of a run: the task whose effect it reverts. Only reruns use it. */
  readonly undoes?: string;
}

/** A polling task: `retry` defines how often it polls. */
export interface WaitPlan {
  readonly timeoutMs: number;
  /** On timeout it is skipped instead of failed. */
  readonly softFail: boolean;
}

export interface RetryPlan {
  /** Includes the first attempt; 0: unlimited. */
  readonly maximumAttempts: number;
  readonly initialDelayMs: number;
  readonly backoff: number;
  readonly maximumDelayMs: number;
}

/** A rule for failures of one type, instead of the task's ordinary retries. */
export interface RetryRule {
  readonly on: string;
  readonly action: 'retry' | 'fail';
  /** The delay before the next attempt; absent: as in `retry`. */
  readonly delayMs?: number;
}

/** A branch: the tasks of the chosen case run, and the other named tasks are skipped. */
export interface SwitchPlan {
  readonly on: string;
  readonly cases: Readonly<Record<string, readonly string[]>>;
  readonly default: readonly string[];
}

/** Runs a task for each item of a list. */
export interface ExpandPlan {
  /** An expression, or a literal list. */
  readonly over: string | readonly Json[];
  /** The item's name in expressions. */
  readonly as: string;
  readonly maxParallel: number;
  /** Items per activity. */
  readonly batchSize: number;
  /** `fail`: start no further items and fail. `finish`: run all items, then fail. `continue`: succeed if at least one item succeeded. */
  readonly onItemFailure: 'fail' | 'finish' | 'continue';
  /** A nested list: the task runs for each item of this list per outer item. */
  readonly expand?: Pick<ExpandPlan, 'over' | 'as'>;
  /**
   * The tasks whose outputs make the list. If one of them has no output, the task ends like that task: skipped or upstream_failed. Absent
   * in plans of earlier releases, where the task fails, and nested lists lose empty lists at their end.
   */
  readonly reads?: readonly string[];
}

export const PLAN_FORMAT = 1;

/** The time zone of a pipeline's times. */
export function timezoneOf({ schedule, timezone }: Pick<Plan, 'schedule' | 'timezone'>): string {
  return schedule?.timezone ?? timezone ?? 'UTC';
}

/** Every task of a plan: `tasks` first, then the handlers that run after them. */
export function allTasks(plan: Plan): readonly TaskPlan[] {
  const { tasks, onFailure, onSuccess, finally: last } = plan;
  return onFailure || onSuccess || last ? [...tasks, ...(onFailure ?? []), ...(onSuccess ?? []), ...(last ?? [])] : tasks;
}
