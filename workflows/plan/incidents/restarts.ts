import { parseDuration } from '../values/duration.ts';
import { isMap, type Json } from '../values/json.ts';

/** How often, and after which pauses, to restart something that failed. */
export interface RestartPolicy {
  /** Maximum number of restarts; then it stays failed until a person acts. 0: it is never restarted. */
  readonly attempts: number;
  /** The pause before the first restart, in milliseconds; it doubles with each further one. */
  readonly backoffMs: number;
}

export const DEFAULT_RESTARTS: RestartPolicy = { attempts: 5, backoffMs: 30_000 };

/** Reads `restart` of a resource: `{attempts: 5, backoff: 30s}`. What is missing has its default. */
export function restartPolicyOf(restart: Json | undefined): RestartPolicy {
  const { attempts, backoff } = isMap(restart) ? restart : {};
  return {
    attempts: typeof attempts === 'number' ? attempts : DEFAULT_RESTARTS.attempts,
    backoffMs: (typeof backoff === 'string' ? parseDuration(backoff) : undefined) ?? DEFAULT_RESTARTS.backoffMs,
  };
}
/** Longest pause, in milliseconds. */
const MAX_PAUSE_MS = 3_600_000;
/** A failure is forgotten after this time without one, in milliseconds. Until then, a further one continues its restarts and pauses. */
const FORGOTTEN_MS = 3_600_000;

/** What a monitor remembers of something that failed, until it is forgotten. Times in ISO 8601. */
export interface FailureMemory {
  /** When it was first seen failed. */
  readonly since: string;
  /** The restarts so far. */
  readonly restarts: number;
  /** When it was last seen to fail, or was restarted: the next pause begins there. */
  readonly from: string;
  /** Since when it runs again. Absent: it has failed. */
  readonly runsSince?: string;
  /** Whether it has run for long enough that its incident is over. Absent: it has not. */
  readonly recovered?: true;
}

/** The pause before restart number `number`, which counts from 1, in milliseconds. */
export function pauseBefore({ backoffMs }: RestartPolicy, number: number): number {
  return Math.min(backoffMs * 2 ** (number - 1), MAX_PAUSE_MS);
}

/** The next step for something that has failed. */
export type RestartStep =
  | { readonly kind: 'restart' }
  /** `at`: when it is restarted, in milliseconds. */
  | { readonly kind: 'wait'; readonly at: number }
  | { readonly kind: 'give_up' };

/** @param now milliseconds */
export function nextStep(policy: RestartPolicy, { restarts, from }: FailureMemory, now: number): RestartStep {
  if (restarts >= policy.attempts) return { kind: 'give_up' };
  const at = Date.parse(from) + pauseBefore(policy, restarts + 1);
  return at <= now ? { kind: 'restart' } : { kind: 'wait', at };
}

/**
 * Whether something that runs again has recovered: it has run for as long as the pause before its last restart. Before that, a new failure
 * is the same one. @param now milliseconds
 */
export function hasRecovered(policy: RestartPolicy, { restarts, runsSince }: FailureMemory, now: number): boolean {
  return runsSince !== undefined && now - Date.parse(runsSince) >= pauseBefore(policy, Math.max(restarts, 1));
}

/** Whether something has run for so long that its next failure is a new one, with all its restarts. @param now milliseconds */
export function isForgotten({ runsSince }: FailureMemory, now: number): boolean {
  return runsSince !== undefined && now - Date.parse(runsSince) >= FORGOTTEN_MS;
}
