import type { DatasetReference } from './dataset.ts';
import type { JsonObject } from './json.ts';

/** What the interpreter hands to an activity: the whole of what a task may know of its run. */
export interface TaskInput {
  /** As the plan has them, checked by the task type's schema when the file was compiled. */
  readonly params: JsonObject;
  /** ISO 8601 in UTC, half open: `[start, end)`. */
  readonly interval: { readonly start: string; readonly end: string };
  readonly input?: DatasetReference;
  /** `s3://bucket/dag/task/interval/`. */
  readonly output?: string;
}
