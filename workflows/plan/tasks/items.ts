import type { Json } from '../values/json.ts';
import type { TaskPlan } from '../plan.ts';
import type { TaskInput } from './task-input.ts';

/** The workflow that runs a part of a long list. Its type is a name that no `dag_id` can have. */
export const ITEMS_WORKFLOW = 'SluiceItems';

/** One activity for an item, or for a batch of items. Wire data, like everything in this file. */
export interface ItemCall {
  /** Unique in the run: `task[17]`, `task[0-99]`. */
  readonly id: string;
  readonly summary: string;
  readonly input: TaskInput;
}

export interface ItemsInput {
  /** How to run the activities. The calls contain the parameters. */
  readonly task: TaskPlan;
  readonly calls: readonly ItemCall[];
  /** How many at a time. */
  readonly parallel: number;
  readonly stopAtFailure: boolean;
  /** The keys of slots held by those who wait for the run; absent: none. */
  readonly heldByCallers?: readonly string[];
}

/** The outcome of a call: its output, its error, or neither if it did not start. */
export interface ItemOutcome {
  readonly output?: Json;
  readonly error?: string;
}
