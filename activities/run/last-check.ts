import { ApplicationFailure, type Info } from '@temporalio/activity';
import { TimeLimitExceeded, withinTime } from '../../lib/time-limit.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { notYet } from './errors.ts';
import { EXECUTION_TIMEOUT, NOT_YET } from './failure-types.ts';

/** Time for the last check: a share of the total within these bounds, in milliseconds, because it may start late on busy workers. */
const LAST_CHECK_MS = { share: 0.2, least: 2_000, most: 10_000 };
/** A check ends this many milliseconds before the server times it out: a later result would be lost. */
const MARGIN_MS = 500;

/**
 * Ends a check of a waiting task before the server does, so that the timeout failure can include the last result.
 * @param what the subject of the check, for messages
 */
export async function withCheckTimeout<T>(
  info: Info,
  signal: AbortSignal,
  what: string,
  check: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = timeLeft(info);
  const limitMs = Math.min(info.startToCloseTimeoutMs, left) - MARGIN_MS;
  if (limitMs <= 0) return check(signal);
  try {
    return await withinTime(limitMs, signal, check);
  } catch (error) {
    if (signal.aborted || !(error instanceof TimeLimitExceeded)) throw error;
    const message = `${what}: no answer within ${formatDuration(error.limitMs)}.`;
    // `retry_policy` may have a rule for checks that take too long.
    throw left < info.startToCloseTimeoutMs ? notYet(message) : ApplicationFailure.create({ type: EXECUTION_TIMEOUT, message });
  }
}

/**
 * Schedules the next step after a check whose condition was not met. If the time left is shorter than the interval, the last check starts
 * as late as it can still finish; if even that is too short, this check was the last one and its result becomes the reason of the failure.
 * @param tookMs how long this check took, in milliseconds: the next may take as long
 */
export function scheduleLastCheck(error: ApplicationFailure, info: Info, tookMs: number): ApplicationFailure {
  const { share, least, most } = LAST_CHECK_MS;
  const left = timeLeft(info);
  const needed = Math.max(Math.min(Math.max(info.scheduleToCloseTimeoutMs * share, least), most), tookMs + 2 * MARGIN_MS);
  const latest = left - needed;
  const pause: unknown = error.nextRetryDelay ?? info.retryPolicy?.initialInterval;
  if (left < 0 || typeof pause !== 'number' || latest >= pause) return error;
  // The server does not start an attempt that would begin after the timeout.
  const nextRetryDelay = latest > 0 ? latest : left + MARGIN_MS;
  return ApplicationFailure.create({ type: error.type ?? NOT_YET, message: error.message, nextRetryDelay });
}

/** How long the task may still wait, in milliseconds. */
function timeLeft({ scheduledTimestampMs, scheduleToCloseTimeoutMs }: Info): number {
  return scheduledTimestampMs + scheduleToCloseTimeoutMs - Date.now();
}
