import { ApplicationFailure, type Info } from '@temporalio/activity';
import { TimeLimitExceeded, withinTime } from '../../lib/time-limit.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { notYet } from './errors.ts';
import { EXECUTION_TIMEOUT, NOT_YET } from './failure-types.ts';

/** A last look gets a fifth of the whole time, in these bounds, in milliseconds: it may begin late where workers are busy. */
const LAST_CHECK_MS = { share: 0.2, least: 2_000, most: 10_000 };
/** A look ends so long before the server gives it up, in milliseconds: after that, what it has seen is lost. */
const MARGIN_MS = 500;

/**
 * Ends a look of a task that waits before the server does: the failure at the time-out has to end with what was seen last.
 * @param what is looked at, for messages
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
    // `retry_policy` may have a rule for looks that take too long.
    throw left < info.startToCloseTimeoutMs ? notYet(message) : ApplicationFailure.create({ type: EXECUTION_TIMEOUT, message });
  }
}

/**
 * What follows on a look that has not found what is waited for. Where the time left is shorter than the interval, a last look begins as late
 * as it can end in time; where it is too short for that, this look was the last, so that the failure has its reason.
 * @param tookMs how long this look took, in milliseconds: the next may take as long
 */
export function scheduleLastCheck(error: ApplicationFailure, info: Info, tookMs: number): ApplicationFailure {
  const { share, least, most } = LAST_CHECK_MS;
  const left = timeLeft(info);
  const needed = Math.max(Math.min(Math.max(info.scheduleToCloseTimeoutMs * share, least), most), tookMs + 2 * MARGIN_MS);
  const latest = left - needed;
  const pause: unknown = error.nextRetryDelay ?? info.retryPolicy?.initialInterval;
  if (left < 0 || typeof pause !== 'number' || latest >= pause) return error;
  // The server gives no attempt that would begin after the end.
  const nextRetryDelay = latest > 0 ? latest : left + MARGIN_MS;
  return ApplicationFailure.create({ type: error.type ?? NOT_YET, message: error.message, nextRetryDelay });
}

/** How long the task may still wait, in milliseconds. */
function timeLeft({ scheduledTimestampMs, scheduleToCloseTimeoutMs }: Info): number {
  return scheduledTimestampMs + scheduleToCloseTimeoutMs - Date.now();
}
