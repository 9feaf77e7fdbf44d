import { untilAborted } from './until-aborted.ts';

/** Thrown when work exceeds its time limit. */
export class TimeLimitExceeded extends Error {
  override readonly name = 'TimeLimitExceeded';

  /** @param limitMs the limit, in milliseconds */
  constructor(readonly limitMs: number) {
    super(`No answer within ${limitMs / 1_000} s`);
  }
}

/** Node fires longer timers immediately. Milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs `work` with a time limit; use only this to limit time. `AbortSignal.timeout` inside `AbortSignal.any` is garbage-collected and never
 * fires (https://github.com/nodejs/node/issues/57736); this timer is held by the event loop until the work ends.
 * @param limitMs milliseconds; more than 24 days count as 24 days
 * @param parent also aborts the work
 * @param work gets a signal that is aborted at the limit, or with `parent`; after that the function does not wait for it
 * @throws TimeLimitExceeded at the limit; the reason of `parent` when that is aborted; else what `work` throws
 */
export async function withinTime<T>(
  limitMs: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) stop();
  parent?.addEventListener('abort', stop);
  const timer = setTimeout(() => controller.abort(new TimeLimitExceeded(limitMs)), Math.min(limitMs, LONGEST_TIMER_MS));
  try {
    signal.throwIfAborted();
    return await untilAborted(signal, work(signal));
  } catch (error) {
    // A driver reports an abort with its own error, so throw the signal's reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    parent?.removeEventListener('abort', stop);
  }
}
