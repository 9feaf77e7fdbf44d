import { instantsOf, shiftedInstant } from '../workflows/plan/time-zone.ts';
import { CommandError } from './command-context.ts';

/**
 * A date or time that a user gave. A date is its whole day, in the time zone of the pipeline.
 * @returns milliseconds, the first and the last that are meant
 * @throws CommandError when it is neither
 */
export function parseMoment(text: string, timezone: string): { readonly start: number; readonly end: number } {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const midnight = Date.parse(text);
    const atWall = (wall: number): number => instantsOf(wall, timezone)[0] ?? shiftedInstant(wall, timezone);
    if (!Number.isNaN(midnight)) return { start: atWall(midnight), end: atWall(midnight + 86_400_000) - 1 };
  }
  const instant = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(instant)) throw new CommandError(`'${text}' is not a date such as 2024-01-31 or 2024-01-31T06:00:00Z.`);
  return { start: instant, end: instant };
}
