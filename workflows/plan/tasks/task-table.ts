import { defineQuery } from '../messages.ts';
import type { TaskTimes } from './task-times.ts';
import type { TaskResult } from '../runs/run.ts';
import type { JsonObject } from '../values/json.ts';

/** The query by which a run is asked for its task table. */
export const TASK_TABLE_QUERY = defineQuery<TaskTable, [TaskTableRequest]>('task-table');

export interface TaskTableRequest {
  /** Whether the outputs of tasks come too; they can be large. */
  readonly outputs: boolean;
}

/** How the tasks of a run stand, as the run itself has it. Wire data, as all of this page. */
export interface TaskTable {
  /** With the defaults of the plan. */
  readonly params: JsonObject;
  /** A task that is missing is queued. */
  readonly tasks: Readonly<Record<string, TaskStatus>>;
  readonly waits: readonly OpenWait[];
  /** What operators did: `skip load by ann: the source is down`. */
  readonly operations: readonly string[];
}

export interface TaskStatus extends TaskResult, TaskTimes {}

/** A task that waits for people: for an approval, or for a decision after its failure. Times in milliseconds since 1970. */
export interface OpenWait {
  readonly task: string;
  readonly kind: 'approval' | 'held';
  readonly since: number;
  /** When the wait ends by itself; absent: never. */
  readonly until?: number;
  /** Of an approval: its question, as rendered. */
  readonly prompt?: string;
  /** Who may decide; absent: anybody. */
  readonly assignees?: readonly string[];
  readonly quorum?: number;
  /** JSON Schema of the fields that an approval asks for, by name. */
  readonly form?: JsonObject;
  /** Who has decided so far: `approve by ann`. */
  readonly votes?: readonly string[];
  /** Of a task on hold: why it failed. */
  readonly error?: string;
}
