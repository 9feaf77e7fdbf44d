import { instantAt, parseDay, parseMoment } from '../workflows/plan/timetable/moment.ts';
import { CommandError } from './command-context.ts';

const DAY_MS = 86_400_000;

/**
 * Parses a date or time from the user. A date covers its whole day in the time zone of the pipeline; a time includes its zone.
 * @returns milliseconds, the first and the last
 * @throws CommandError when the text is neither a date nor a time, or when the day does not exist
 */
export function parseGivenTime(text: string, timezone: string): { readonly start: number; readonly end: number } {
  const midnight = parseDay(text);
  if (midnight !== undefined) return { start: instantAt(midnight, timezone), end: instantAt(midnight + DAY_MS, timezone) - 1 };
  const moment = parseMoment(text, timezone);
  if (!moment?.hasOffset) throw new CommandError(`'${text}' is not a date such as 2024-01-31 or 2024-01-31T06:00:00Z.`);
  return { start: moment.instant, end: moment.instant };
}
