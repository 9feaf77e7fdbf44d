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

/**
 * Waits until the rate limit of a connection allows one more request. Everything in this process that calls the same address as the same
 * user shares the limit: services limit users, not connections.
 * @throws the reason of `signal`
 */
export async function limitRequests({ url, username, token, rate_limit: limit }: LimitedService, signal: AbortSignal): Promise<void> {
  if (!limit) return;
  const key = JSON.stringify([url, username, token, limit]);
  let limiter = limiters.get(key);
  if (!limiter) limiters.set(key, (limiter = new RateLimiter(limit)));
  await limiter.take(signal);
}
