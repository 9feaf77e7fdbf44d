import type { DatasetReference } from '../datasets/dataset.ts';
import type { JsonObject } from '../values/json.ts';
import type { RetryRule } from '../plan.ts';

/** What the interpreter passes to an activity: all that a task may know about its run. */
export interface TaskInput {
  /** As in the plan, checked by the task type's schema at compile time. */
  readonly params: JsonObject;
  /** Whether `params` contain values of expressions, whose types and formats are unchecked until now. */
  readonly rendered?: true;
  /** Parameters by item, instead of `params`: the task works through them in order and returns the list of outputs. */
  readonly batch?: readonly BatchItem[];
  /** The values of names that expressions in `params` read, for a task that evaluates those itself. */
  readonly values?: JsonObject;
  /** The pipeline's time zone, for a polling task. */
  readonly timezone?: string;
  /** Retry rules for certain failure types that Temporal's retry policy cannot express. */
  readonly retryRules?: readonly RetryRule[];
  /** The hash of the run's plan, for a task that stores it with its output. */
  readonly planHash?: string;
  /** ISO 8601 in UTC, half open: `[start, end)`. */
  readonly interval: { readonly start: string; readonly end: string };
  readonly input?: DatasetReference;
  /** `s3://bucket/dag/task/interval/`. */
  readonly output?: string;
  /** For a task that isolates its effects by run; absent in runs that an earlier release started. */
  readonly run?: RunIdentity;
}

/** What distinguishes the data and effects of a run from those of every other run. */
export interface RunIdentity {
  /** The workflow id. */
  readonly pipelineRunId: string;
  readonly dagId: string;
  /** Temporal's id of the run's first execution. Unlike a workflow id, it is never reused. */
  readonly execution: string;
  /** When the run started, ISO 8601 with milliseconds. */
  readonly startedAt: string;
  /** Absent: the run has default parameters and no event. */
  readonly variant?: DataVariant;
}

/** What distinguishes data from other data of the same pipeline and interval. */
export interface DataVariant {
  /** Parameters that differ from the defaults. */
  readonly params?: JsonObject;
  /** The first run that the event started, so that reruns refer to the same event. */
  readonly event?: string;
}

/** One item of a task that expands over a list in batches. */
export interface BatchItem {
  readonly params: JsonObject;
  readonly values?: JsonObject;
  readonly output?: string;
}
