import type { Json } from '../../workflows/plan/values/json.ts';
import { isFinal, type TaskState } from '../../workflows/plan/tasks/task-state.ts';
import type { OpenWait } from '../../workflows/plan/tasks/task-table.ts';

/** A task in a run. */
export interface TaskInstance {
  readonly task: string;
  readonly type: string;
  readonly summary: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly output?: Json;
  readonly error?: string;
  /** A short explanation: why it was skipped, who approved it, how many items are done. */
  readonly note?: string;
  /** Whom it waits for, and until when. */
  readonly wait?: OpenWait;
  /** For a task with items: those that failed, without a successful retry. */
  readonly failedItems?: readonly FailedItem[];
}

export interface FailedItem {
  /** `[3]`; `[3][1]` for a nested list, `[0-99]` for a batch. */
  readonly item: string;
  readonly error: string;
}

/** Removes fields that do not apply to the new state of a task. */
export function tidy({
  endedAt,
  wait,
  error,
  ...task
}: Omit<TaskInstance, 'wait'> & { readonly wait?: OpenWait | undefined }): TaskInstance {
  const hasEnded = isFinal(task.state);
  return {
    ...task,
    ...(error !== undefined && task.state !== 'success' && { error }),
    ...(hasEnded && endedAt && { endedAt }),
    ...(!hasEnded && wait && { wait }),
  };
}
