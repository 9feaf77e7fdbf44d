import type { JsonObject } from '../plan/values/json.ts';

/** One call of a task: all of it, or one item of its list. */
export interface Call {
  /** Added to the task's name: `[17]`. */
  readonly suffix: string;
  readonly items: JsonObject;
}
