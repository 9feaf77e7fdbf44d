import type { Json, JsonObject } from './json.ts';

/** `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Formats a time in UTC, to the second. @param ms since 1970 */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Formats bytes in powers of 1,000: `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** A one-line description of a task's output: its own summary, or else the amount of data. */
export function describeOutput(output: Json | undefined): string | undefined {
  const { summary } = typeof output === 'object' && output !== null && !Array.isArray(output) ? (output as JsonObject) : {};
  return typeof summary === 'string' ? summary : formatRows(output);
}

/** The amount of data, if the output reports it: `100,000 rows, 2.1 MB`. */
export function formatRows(output: Json | undefined): string | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return undefined;
  const { rows, bytes } = output as { rows?: Json; bytes?: Json };
  if (typeof rows !== 'number') return undefined;
  return `${formatCount(rows)} rows${typeof bytes === 'number' ? `, ${formatBytes(bytes)}` : ''}`;
}
