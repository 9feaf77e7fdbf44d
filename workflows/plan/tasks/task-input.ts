import type { DatasetReference } from '../datasets/dataset.ts';
import type { JsonObject } from '../values/json.ts';
import type { RetryRule } from '../plan.ts';

/** What the interpreter hands to an activity: the whole of what a task may know of its run. */
export interface TaskInput {
  /** As the plan has them, checked by the task type's schema when the file was compiled. */
  readonly params: JsonObject;
  /** Whether `params` hold values of expressions: their types and forms are known only now. */
  readonly rendered?: true;
  /** Parameters by item, instead of `params`: the task works through them in order and returns the list of outputs. */
  readonly batch?: readonly BatchItem[];
  /** The values of the names that expressions among `params` read; the task evaluates those itself. */
  readonly values?: JsonObject;
  /** The time zone of the pipeline, for a task that waits. */
  readonly timezone?: string;
  /** Other rules for failures of certain types than Temporal's retry policy has. */
  readonly retryRules?: readonly RetryRule[];
  /** Of the run's plan, for a task whose product is remembered with it. */
  readonly planHash?: string;
  /** ISO 8601 in UTC, half open: `[start, end)`. */
  readonly interval: { readonly start: string; readonly end: string };
  readonly input?: DatasetReference;
  /** `s3://bucket/dag/task/interval/`. */
  readonly output?: string;
  /** For a task whose effects are kept apart by run; absent in runs that an earlier release started. */
  readonly run?: RunIdentity;
}

/** What tells the data and the effects of one run from those of every other. */
export interface RunIdentity {
  /** The workflow id. */
  readonly pipelineRunId: string;
  readonly dagId: string;
  /** Temporal's id of the run's first execution: a workflow id can be used again, this cannot. */
  readonly execution: string;
  /** When the run started, ISO 8601 with milliseconds. */
  readonly startedAt: string;
  /** Absent: the data that the pipeline makes of an interval when nothing is given. */
  readonly variant?: DataVariant;
}

/** What makes data different from other data of the same pipeline and interval. */
export interface DataVariant {
  /** Parameters whose values are not the defaults. */
  readonly params?: JsonObject;
  /** The run that the event started first: a rerun is about the same event. */
  readonly event?: string;
}

/** One item of a task that expands over a list in batches. */
export interface BatchItem {
  readonly params: JsonObject;
  readonly values?: JsonObject;
  readonly output?: string;
}
