import { type RateLimit, RateLimiter } from '../rate-limit.ts';
import { RecentMap } from '../recent-map.ts';

/** The parts of a service that identify who calls what, and the limit. */
interface LimitedService {
  readonly url: string;
  readonly username?: string;
  readonly token?: string;
  readonly rate_limit?: RateLimit;
}

/** The limiters of this process. More services than this do not occur; the bound is for rotated tokens. */
const limiters = new RecentMap<RateLimiter>(1_000);

/** Tasks wait for the end of a pause in their worker, so a longer one is left to their retries. Milliseconds. */
const MAX_PAUSE_MS = 60_000;

/**
 * Waits until the rate limit of a connection allows one more request. Everything in this process that calls the same address as the same
 * user shares the limit: services limit users, not connections.
 * @throws the reason of `signal`
 */
export async function limitRequests(service: LimitedService, signal: AbortSignal): Promise<void> {
  await limiterOf(service)?.take(signal);
}

/** Delays the requests of everything that shares the rate limit of a connection, after the service has answered 429. */
export function pauseRequests(service: LimitedService, pauseMs: number): void {
  limiterOf(service)?.pause(Math.min(pauseMs, MAX_PAUSE_MS));
}

/** @returns undefined without a rate limit */
function limiterOf({ url, username, token, rate_limit: limit }: LimitedService): RateLimiter | undefined {
  if (!limit) return undefined;
  const key = JSON.stringify([url, username, token, limit]);
  let limiter = limiters.get(key);
  if (!limiter) limiters.set(key, (limiter = new RateLimiter(limit)));
  return limiter;
}
