import { type Plan, timezoneOf } from '../workflows/plan/plan.ts';
import { dataIntervalAround, dataIntervalAt, type DataInterval, iso, type SchedulePlan } from '../workflows/plan/timetable/schedule.ts';
import { CommandError } from './command-context.ts';
import { parseGivenTime } from './given-dates.ts';

/**
 * The data interval that starts at a logical date from the user. A day means the interval whose `ds` is that day, in the time zone of the
 * pipeline: where several start on it, the one that starts with the day.
 * @throws CommandError when the text is not a date, or when no interval starts there
 */
export function intervalOf(plan: Plan, logicalDate: string): DataInterval {
  const { schedule, dagId } = plan;
  const { start, end } = parseGivenTime(logicalDate, timezoneOf(plan));
  if (schedule === null) {
    const interval = dataIntervalAt(null, start);
    if (interval) return interval;
  } else {
    const around = dataIntervalAround(schedule, start);
    if (around?.start === iso(start)) return around;
    const onDay = end === start ? [] : startsWithin(schedule, start, end);
    const [only] = onDay;
    if (only && onDay.length === 1) return only;
    const where = end === start ? `at ${iso(start)}` : only ? `with the day ${logicalDate}` : `on ${logicalDate}`;
    const others = only
      ? ` On that day start ${onDay.map((each) => each.start).join(', ')}: write one of these times.`
      : around
        ? ` It lies in the interval ${around.start} – ${around.end}, whose logical date is ${around.start}.`
        : '';
    throw new CommandError(`No data interval of ${dagId} starts ${where}.${others}`);
  }
  throw new CommandError(`No data interval of ${dagId} starts at ${iso(start)}.`);
}

/** The intervals that start between two instants, in order; at most a few, to choose from. */
function startsWithin(schedule: SchedulePlan, from: number, to: number): DataInterval[] {
  const found: DataInterval[] = [];
  let interval = dataIntervalAround(schedule, from);
  while (interval && Date.parse(interval.start) <= to && found.length < MOST_SHOWN) {
    if (Date.parse(interval.start) >= from) found.push(interval);
    interval = dataIntervalAround(schedule, Date.parse(interval.end));
  }
  return found;
}

const MOST_SHOWN = 24;
