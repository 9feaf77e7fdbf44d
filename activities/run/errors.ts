import { ApplicationFailure } from '@temporalio/activity';
import { NOT_YET, type PlatformFaultType, type UserFaultType } from './failure-types.ts';

/**
 * Failures of tasks. Temporal records `type`, and `retry_policy` refers to it: wire data, never renamed. A message says what was given,
 * what is allowed and what to do next, and never contains a secret.
 */

/** A failure that is not retried. `message` says what the analyst has to change. */
export function userFault(type: UserFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...causeOf(cause) });
}

/**
 * The error that a waiting task throws while its condition is not met.
 * @param message says what is missing
 * @param checkAfterMs milliseconds until the next check; default: its `poke_interval`
 */
export function notYet(message: string, checkAfterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: NOT_YET,
    message,
    nonRetryable: false,
    ...(checkAfterMs !== undefined && { nextRetryDelay: checkAfterMs }),
  });
}

/**
 * Runs one check of a waiting task.
 * @param absent failure types which mean that the awaited thing does not exist yet or cannot be read yet
 * @param explain converts the message of such a failure; absent: the message stays unchanged
 * @throws `NotYet` in place of those failures
 */
export async function orNotYet<T>(
  absent: readonly UserFaultType[],
  check: () => Promise<T> | T,
  explain = (message: string): string => message,
): Promise<T> {
  try {
    return await check();
  } catch (error) {
    const isAbsent = error instanceof ApplicationFailure && (absent as readonly unknown[]).includes(error.type);
    throw isAbsent ? notYet(explain(error.message)) : error;
  }
}

/** A failure that is retried according to the task's `retries` and `retry_delay`. */
export function platformFault(type: PlatformFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: false, ...causeOf(cause) });
}

function causeOf(cause: unknown): { cause?: Error } {
  return cause instanceof Error ? { cause } : {};
}
