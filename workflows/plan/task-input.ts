import type { DatasetReference } from './dataset.ts';
import type { JsonObject } from './json.ts';
import type { RetryRule } from './plan.ts';

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
}

/** One item of a task that expands over a list in batches. */
export interface BatchItem {
  readonly params: JsonObject;
  readonly values?: JsonObject;
  readonly output?: string;
}
