import { ApplicationFailure } from '@temporalio/activity';
import { NOT_YET, type PlatformFaultType, type UserFaultType } from './failure-types.ts';

/**
 * Failures of tasks. `type` is what Temporal records and what `retry_policy` names: wire data, never renamed. A message says what was
 * given, what is allowed and what to do next, and never holds a secret.
 */

/** A failure that is not retried. `message` tells the analyst what to change. */
export function userFault(type: UserFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...causeOf(cause) });
}

/**
 * What a task that waits throws as long as it has to.
 * @param message says what is missing
 * @param lookAfter milliseconds until the next look; absent: its `poke_interval`
 */
export function notYet(message: string, lookAfter?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: NOT_YET,
    message,
    nonRetryable: false,
    ...(lookAfter !== undefined && { nextRetryDelay: lookAfter }),
  });
}

/** A failure that is retried as the task's `retries` and `retry_delay` say. */
export function platformFault(type: PlatformFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: false, ...causeOf(cause) });
}

function causeOf(cause: unknown): { cause?: Error } {
  return cause instanceof Error ? { cause } : {};
}
