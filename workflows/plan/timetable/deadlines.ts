import { afterOnCalendar, betweenOnCalendar, type CalendarPlan, leavesOut } from './calendar.ts';
import { type Plan, timezoneOf } from '../plan.ts';
import { isSuppressedFor, type SlaPlan } from '../incidents/sla.ts';
import { slaReference, type Times } from '../incidents/sla-references.ts';
import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

/** When a run or task must have ended, and when to warn. In milliseconds. */
export interface Deadline {
  readonly at: number;
  readonly warnAt?: number;
}

/**
 * The deadline of an SLA; undefined until the reference event has happened, and for conditions.
 * @param timezone the pipeline's time zone, for times of day and the calendar
 */
export function deadlineOf({ promise, warnAt, calendar }: SlaPlan, timezone: string, times: Times): Deadline | undefined {
  if (promise.kind === 'assert') return undefined;
  const reference = promise.kind === 'within' ? promise.reference : 'data_interval_end';
  const from = slaReference(reference)?.timeOf(times);
  if (from === undefined) return undefined;
  const after = (ms: number): number => (calendar ? afterOnCalendar(calendar, timezone, from, ms) : from + ms);
  const at = promise.kind === 'within' ? after(promise.ms) : timeOfDayAfter(from, promise.time, timezone, calendar);
  if (!warnAt) return { at };
  const whole = calendar ? betweenOnCalendar(calendar, timezone, from, at) : at - from;
  return { at, warnAt: Math.min('part' in warnAt ? after(whole * warnAt.part) : after(warnAt.afterMs), at) };
}

/** The earliest deadline of a run by its pipeline's SLAs for whole runs. In milliseconds; undefined without such an SLA. */
export function runDeadline(plan: Plan, cause: string, times: Times): number | undefined {
  const promised = (plan.slas ?? [])
    .filter((sla) => sla.task === undefined && sla.dataset === undefined && !isSuppressedFor(sla, cause))
    .flatMap((sla) => deadlineOf(sla, timezoneOf(plan), times)?.at ?? []);
  return promised.length === 0 ? undefined : Math.min(...promised);
}

const DAY = 86_400_000;

/**
 * The first time at or after `instant` when the wall time in `timezone` is `time`, on a counted day. If a clock change skips it, the time
 * when it would have occurred.
 */
function timeOfDayAfter(instant: number, time: string, timezone: string, calendar: CalendarPlan = {}): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const midnight = Math.floor(wallTime(instant, timezone) / DAY) * DAY;
  for (let day = midnight; ; day += DAY) {
    const wall = day + (hours * 60 + minutes) * 60_000;
    const found = instantsOf(wall, timezone)[0] ?? shiftedInstant(wall, timezone);
    if (found >= instant && !leavesOut(calendar, wall)) return found;
  }
}
