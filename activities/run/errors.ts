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
 * @param checkAfterMs milliseconds until the next look; absent: its `poke_interval`
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
 * Runs a look of a task that waits.
 * @param absent types of failures that say that what it waits for is not there yet, or cannot be read yet
 * @param explain makes a message of theirs; absent: it is left as it is
 * @throws `NotYet` in place of those
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

/** A failure that is retried as the task's `retries` and `retry_delay` say. */
export function platformFault(type: PlatformFaultType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: false, ...causeOf(cause) });
}

function causeOf(cause: unknown): { cause?: Error } {
  return cause instanceof Error ? { cause } : {};
}
