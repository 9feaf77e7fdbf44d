import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  TimeoutType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { isCancellation, patched } from '@temporalio/workflow';
import type { TaskPlan, WaitPlan } from '../plan/plan.ts';
import { formatDuration } from '../plan/values/duration.ts';
import { errorText } from '../plan/values/error-text.ts';
import { type RunScope, TaskCanceled, TaskFailed } from '../run/run-host.ts';
import { temporalScope } from '../temporal-scope.ts';

/**
 * Does a task's work in its scope, and translates errors of Temporal.
 * @param ifStarted replaces `work` if that finds its child workflow already started
 * @throws TaskFailed, TaskCanceled
 */
export async function runWork<T>(task: TaskPlan, scope: RunScope, work: () => Promise<T>, ifStarted?: () => Promise<T>): Promise<T> {
  try {
    return await temporalScope(scope).run(work);
  } catch (error) {
    // In histories of older releases, the task fails.
    if (ifStarted && error instanceof WorkflowExecutionAlreadyStartedError && patched('child-may-exist'))
      return runWork(task, scope, ifStarted);
    throw explainError(task, error);
  }
}

/** Translates an error of Temporal into TaskFailed or TaskCanceled. */
export function explainError(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled {
  if (isCancellation(error) || (wouldBeRetried(error) && patched('failures-during-a-cancellation'))) return new TaskCanceled('cancelled');
  return task.wait && isExpired(error) ? waitedInVain(task.wait, error) : new TaskFailed(messageOf(error, task), error);
}

/** Whether the server would have retried the attempt, had the task not been cancelled: its worker died or shut down, for example. */
function wouldBeRetried(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED';
}

/** Whether a polling task ran out of time: the server allows no further attempt, or the last attempt took too long. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause, retryState } = error;
  return retryState === 'TIMEOUT' || (cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.SCHEDULE_TO_CLOSE);
}

function waitedInVain({ timeoutMs }: WaitPlan, error: unknown): TaskFailed {
  let last = error;
  // The outermost ApplicationFailure has the task's own message. Its causes come from drivers.
  while (!(last instanceof ApplicationFailure) && last instanceof Error && last.cause instanceof Error) last = last.cause;
  return TaskFailed.inVain(timeoutMs, last instanceof ApplicationFailure ? last.message : undefined, error);
}

/** The message that an analyst reads for a failed task: the activity's own message, or our text for Temporal's timeouts. */
function messageOf(error: unknown, task: TaskPlan): string {
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? (error.cause ?? error) : error;
  if (cause instanceof TimeoutFailure) {
    switch (cause.timeoutType) {
      case TimeoutType.HEARTBEAT:
        return `No sign of life for ${formatDuration(task.heartbeatTimeoutMs)}: the worker died or lost its connection to Temporal.`;
      case TimeoutType.START_TO_CLOSE:
        return `The attempt took longer than its execution_timeout of ${formatDuration(task.executionTimeoutMs)}.`;
      case TimeoutType.SCHEDULE_TO_START:
        return `No worker took it within its queue_timeout of ${formatDuration(task.queueTimeoutMs ?? 0)}: is a worker running for this queue?`;
      default:
        return cause.message;
    }
  }
  return errorText(cause);
}
