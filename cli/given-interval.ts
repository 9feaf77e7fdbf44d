import { type Plan, timezoneOf } from '../workflows/plan/plan.ts';
import { dataIntervalAround, dataIntervalAt, type DataInterval, iso } from '../workflows/plan/timetable/schedule.ts';
import { CommandError } from './command-context.ts';
import { parseGivenTime } from './given-dates.ts';

/**
 * The data interval that starts at a logical date from the user. A day means its first moment in the time zone of the pipeline.
 * @throws CommandError when the text is not a date, or when no interval starts there
 */
export function intervalOf(plan: Plan, logicalDate: string): DataInterval {
  const { schedule, dagId } = plan;
  const { start } = parseGivenTime(logicalDate, timezoneOf(plan));
  const interval = schedule === null ? dataIntervalAt(null, start) : dataIntervalAround(schedule, start);
  if (interval?.start === iso(start)) return interval;
  throw new CommandError(
    `No data interval of ${dagId} starts at ${iso(start)}${interval ? `. It lies in the interval ${interval.start} – ${interval.end}, whose logical date is ${interval.start}` : ''}.`,
  );
}
