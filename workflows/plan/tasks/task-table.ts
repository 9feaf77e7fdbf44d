import { defineQuery } from '../messages.ts';
import type { TaskTimes } from './task-times.ts';
import type { TaskResult } from '../runs/run.ts';
import type { JsonObject } from '../values/json.ts';

/** The query for a run's task table. */
export const TASK_TABLE_QUERY = defineQuery<TaskTable, [TaskTableRequest]>('task-table');

export interface TaskTableRequest {
  /** Whether to include the outputs of tasks, which can be large. */
  readonly outputs: boolean;
}

/** The states of a run's tasks, as the run knows them. Wire data, like everything in this file. */
export interface TaskTable {
  /** Includes the plan's defaults. */
  readonly params: JsonObject;
  /** A missing task is queued. */
  readonly tasks: Readonly<Record<string, TaskStatus>>;
  readonly waits: readonly OpenWait[];
  /** Operator actions: `skip load by ann: the source is down`. */
  readonly operations: readonly string[];
}

export interface TaskStatus extends TaskResult, TaskTimes {}

/** A task that waits for people: for an approval, or for a decision after its failure. Times are in milliseconds since 1970. */
export interface OpenWait {
  readonly task: string;
  readonly kind: 'approval' | 'held';
  readonly since: number;
  /** When the wait times out; absent: never. */
  readonly until?: number;
  /** For an approval: its rendered question. */
  readonly prompt?: string;
  /** Who may decide; absent: anyone. */
  readonly assignees?: readonly string[];
  readonly quorum?: number;
  /** JSON Schema of an approval's form fields, by name. */
  readonly form?: JsonObject;
  /** Decisions so far: `approve by ann`. */
  readonly votes?: readonly string[];
  /** For a task on hold: why it failed. */
  readonly error?: string;
}
