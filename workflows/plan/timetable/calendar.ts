import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

/** Days that do not count, in a time zone: a schedule does not tick on them, and deadlines do not advance. */
export interface CalendarPlan {
  /** `2024-12-25`. */
  readonly exclude?: readonly string[];
  /** Monday to Friday only. */
  readonly businessDays?: boolean;
  /** What happens to a tick on an excluded day. Absent: it is dropped. Does not affect deadlines. */
  readonly onHoliday?: 'next_business_day' | 'previous_business_day';
}

const DAY = 86_400_000;

/** Whether a calendar excludes the day of a wall time (milliseconds, as in time-zone.ts). */
export function leavesOut({ businessDays, exclude }: CalendarPlan, wall: number): boolean {
  const day = new Date(wall);
  if (businessDays && day.getUTCDay() % 6 === 0) return true;
  return exclude?.includes(day.toISOString().slice(0, 10)) ?? false;
}

/**
 * The days whose ticks fall on the same day, as wall midnights: a counted day, and the adjacent excluded days whose ticks move to it.
 * @param wall a wall time on any of them
 */
export function daysTogether(
  calendar: CalendarPlan,
  wall: number,
): { readonly first: number; readonly last: number; readonly counted: number } {
  const isNext = calendar.onHoliday === 'next_business_day';
  let counted = Math.floor(wall / DAY) * DAY;
  while (leavesOut(calendar, counted)) counted += isNext ? DAY : -DAY;
  let [first, last] = [counted, counted];
  if (isNext) while (leavesOut(calendar, first - DAY)) first -= DAY;
  else while (leavesOut(calendar, last + DAY)) last += DAY;
  return { first, last, counted };
}

/** When the day after that of `instant` begins in a time zone. In milliseconds. */
export function nextMidnight(instant: number, timezone: string): number {
  const midnight = (Math.floor(wallTime(instant, timezone) / DAY) + 1) * DAY;
  return instantsOf(midnight, timezone).find((each) => each > instant) ?? shiftedInstant(midnight, timezone);
}

/**
 * The instant `ms` of counted days after `from` (milliseconds). Whole days (24 h) use wall time, so a day with a clock change counts as a
 * normal day. The remainder is elapsed time. A period of whole days ends at the midnight after its last counted day.
 */
export function afterOnCalendar(calendar: CalendarPlan, timezone: string, from: number, ms: number): number {
  let at = firstThatCounts(calendar, timezone, from);
  if (ms >= DAY) {
    let wall = wallTime(at, timezone);
    for (let days = Math.floor(ms / DAY); days > 0;) {
      wall += DAY;
      if (!leavesOut(calendar, wall - 1)) days--;
    }
    at = instantsOf(wall, timezone)[0] ?? shiftedInstant(wall, timezone);
  }
  for (let left = ms % DAY; left > 0;) {
    const start = firstThatCounts(calendar, timezone, at);
    at = Math.min(start + left, nextMidnight(start, timezone));
    left -= at - start;
  }
  return at;
}

/** How much of the time between two instants falls on counted days. In milliseconds. */
export function betweenOnCalendar(calendar: CalendarPlan, timezone: string, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to;) {
    const end = Math.min(nextMidnight(at, timezone), to);
    if (!leavesOut(calendar, wallTime(at, timezone))) sum += end - at;
    at = end;
  }
  return sum;
}

function firstThatCounts(calendar: CalendarPlan, timezone: string, from: number): number {
  let at = from;
  while (leavesOut(calendar, wallTime(at, timezone))) at = nextMidnight(at, timezone);
  return at;
}
