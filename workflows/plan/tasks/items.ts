import type { Json } from '../values/json.ts';
import type { TaskPlan } from '../plan.ts';
import type { TaskInput } from './task-input.ts';

/** The workflow that works through a part of a long list: registered by name, which no `dag_id` can have. */
export const ITEMS_WORKFLOW = 'SluiceItems';

/** One activity for an item, or for a batch of items. Wire data, as all of this page. */
export interface ItemCall {
  /** Unique in the run: `task[17]`, `task[0-99]`. */
  readonly id: string;
  readonly summary: string;
  readonly input: TaskInput;
}

export interface ItemsInput {
  /** How the activities are to be run; their parameters are in the calls. */
  readonly task: TaskPlan;
  readonly calls: readonly ItemCall[];
  /** How many at a time. */
  readonly parallel: number;
  readonly stopAtFailure: boolean;
  /** The keys of slots that are held by those who wait for the run; absent: of none. */
  readonly heldByCallers?: readonly string[];
}

/** What became of a call: its output, its error, or neither where it did not begin. */
export interface ItemOutcome {
  readonly output?: Json;
  readonly error?: string;
}
