import type { JsonObject } from '../plan/values/json.ts';

/** One call of a task: the whole task, or one item of its list. */
export interface Call {
  /** The suffix of the task's name: `[17]`. */
  readonly suffix: string;
  readonly items: JsonObject;
}
