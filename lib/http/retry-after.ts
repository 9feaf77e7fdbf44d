/** Limit for `retry-after`: a service that asks for a day is called again after an hour. Milliseconds. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Parses the header `retry-after`: seconds or a date (RFC 9110, 10.2.3).
 * @param now milliseconds since 1970
 * @returns milliseconds, at most one hour; undefined if the header is missing or invalid
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - now;
  return ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}
