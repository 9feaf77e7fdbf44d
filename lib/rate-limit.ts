import { setTimeout as sleep } from 'node:timers/promises';

/** At most `requests` in each period. */
export interface RateLimit {
  readonly requests: number;
  readonly periodMs: number;
}

const PERIODS_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
/** A limiter remembers one time for each request of a period. */
const MAX_REQUESTS = 100_000;

/** The format of a rate limit, for messages. */
export const RATE_LIMIT_HELP = `requests per s, m or h, such as 1000/m, with at most ${MAX_REQUESTS.toLocaleString('en')} requests`;

/** Parses `1000/m`; undefined if it is not a rate limit. */
export function parseRateLimit(text: string): RateLimit | undefined {
  const [, number, unit] = /^([1-9]\d*)\/([smh])$/.exec(text) ?? [];
  const requests = Number(number);
  if (unit === undefined || requests > MAX_REQUESTS) return undefined;
  return { requests, periodMs: PERIODS_MS[unit as keyof typeof PERIODS_MS] };
}

/** Delays requests so that no period of the limit's length contains more of them, wherever the period begins; and during a pause. */
export class RateLimiter {
  /** When the last requests started, as a ring: `next` is the oldest. Milliseconds of `now`. */
  private readonly starts: Float64Array;
  private next = 0;
  private pausedUntil = -Infinity;

  /** @param now a clock that never goes back, in milliseconds; tests pass their own */
  constructor(
    private readonly limit: RateLimit,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.starts = new Float64Array(limit.requests).fill(-Infinity);
  }

  /** Milliseconds until the next request may start; 0 or less: now. */
  get waitMs(): number {
    return Math.max((this.starts[this.next] ?? -Infinity) + this.limit.periodMs, this.pausedUntil) - this.now();
  }

  /** Lets no request start for this long: the service has refused one. Milliseconds. */
  pause(pauseMs: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.now() + pauseMs);
  }

  /** Waits until a request may start, and counts it. An aborted wait counts nothing. @throws the reason of `signal` */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Several requests may wait for the same moment, and only the first of them gets it.
    for (let { waitMs } = this; waitMs > 0; { waitMs } = this) {
      // Timers may fire up to a millisecond early.
      await sleep(Math.ceil(waitMs), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    this.starts[this.next] = this.now();
    this.next = (this.next + 1) % this.limit.requests;
  }
}
