import { type CalendarPlan, leavesOut, nextMidnight } from './calendar.ts';
import { type ClockChangeRule, type Cron, defaultClockChangeRule, nextTick, parseCron, previousTick } from './cron.ts';
import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

/** When the clock starts a pipeline, as the plan carries it. */
export type SchedulePlan = {
  readonly timezone: string;
  readonly jitterMs?: number;
  /** How much later than its tick a run begins its work. */
  readonly startDelayMs?: number;
  /** ISO 8601: only intervals that begin in `[startAt, endAt]`. */
  readonly startAt?: string;
  readonly endAt?: string;
  /** Days without ticks; the interval of the next tick covers them. */
  readonly calendar?: CalendarPlan;
  /** Absent: what `defaultClockChangeRule` says. */
  readonly dst?: Partial<ClockChangeRule>;
} & ({ readonly kind: 'cron'; readonly cron: string } | { readonly kind: 'every'; readonly everyMs: number });

/** Airflow's presets. */
export const PRESETS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** Half open, ISO 8601 in UTC: `[start, end)`. `start` is the logical date. */
export interface DataInterval {
  readonly start: string;
  readonly end: string;
}

/** The first tick after `after` (exclusive, milliseconds), or undefined when the schedule has none left. */
export function tickAfter(schedule: SchedulePlan, after: number): number | undefined {
  const { firstTick, lastTick } = read(schedule);
  const tick = rawTick(schedule, Math.max(after, firstTick - 1), 1);
  return tick === undefined || tick > lastTick ? undefined : tick;
}

/** The last tick before `before` (exclusive, milliseconds), or undefined when there was none yet. */
export function tickBefore(schedule: SchedulePlan, before: number): number | undefined {
  const { firstTick, lastTick } = read(schedule);
  const tick = rawTick(schedule, Math.min(before, lastTick + 1), -1);
  return tick === undefined || tick < firstTick ? undefined : tick;
}

/** The first and the last tick that `start_date` and `end_date` allow, in milliseconds; infinite where they say nothing. */
export function tickBounds(schedule: SchedulePlan): { readonly firstTick: number; readonly lastTick: number } {
  return read(schedule);
}

/**
 * The data interval of a run at `instant` (milliseconds), Airflow's meaning: from the tick before to the tick at or before `instant`, so
 * that a scheduled run works on what has just become complete, and a manual one on the last complete interval. Without a schedule the
 * interval is empty: `[instant, instant)`.
 */
export function dataIntervalAt(schedule: SchedulePlan | null, instant: number): DataInterval {
  const end = schedule === null ? instant : (rawTick(schedule, instant + 1, -1) ?? instant);
  const start = schedule === null ? instant : (rawTick(schedule, end, -1) ?? end);
  return { start: iso(start), end: iso(end) };
}

/** The data interval that `instant` (milliseconds) lies in; undefined where the schedule has none. */
export function dataIntervalAround(schedule: SchedulePlan, instant: number): DataInterval | undefined {
  const start = rawTick(schedule, instant + 1, -1);
  const end = rawTick(schedule, instant, 1);
  return start === undefined || end === undefined ? undefined : { start: iso(start), end: iso(end) };
}

/** ISO 8601 in UTC, without milliseconds where there are none. */
export function iso(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

/** A schedule as the functions above want it. */
interface Reading {
  readonly cron?: Cron;
  readonly rule?: ClockChangeRule;
  readonly firstTick: number;
  readonly lastTick: number;
}

const readings = new WeakMap<SchedulePlan, Reading>();

function read(schedule: SchedulePlan): Reading {
  let reading = readings.get(schedule);
  if (!reading) {
    const cron = schedule.kind === 'cron' ? parseCron(schedule.cron) : undefined;
    const rules = cron && { cron, rule: { ...defaultClockChangeRule(cron), ...schedule.dst } };
    readings.set(schedule, { ...rules, firstTick: -Infinity, lastTick: Infinity });
    const { startAt, endAt } = schedule;
    const firstStart = startAt === undefined ? undefined : rawTick(schedule, Date.parse(startAt) - 1, 1);
    const lastStart = endAt === undefined ? undefined : rawTick(schedule, Date.parse(endAt) + 1, -1);
    reading = {
      ...rules,
      // A run comes at the end of its interval: the first one does when the first whole interval since start_date is complete.
      firstTick: startAt === undefined ? -Infinity : firstStart === undefined ? Infinity : (rawTick(schedule, firstStart, 1) ?? Infinity),
      lastTick: endAt === undefined ? Infinity : lastStart === undefined ? -Infinity : (rawTick(schedule, lastStart, 1) ?? -Infinity),
    };
    readings.set(schedule, reading);
  }
  return reading;
}

const DAY = 86_400_000;
/** Eight years and a day: a schedule without a tick in that time has none. */
const FARTHEST = (8 * 366 + 1) * DAY;

/** The next tick in a direction, of the calendar's days, whatever `start_date` and `end_date` say. */
function rawTick(schedule: SchedulePlan, from: number, direction: 1 | -1): number | undefined {
  let tick = uncheckedTick(schedule, from, direction);
  while (tick !== undefined && isExcluded(schedule, tick)) {
    if (Math.abs(tick - from) > FARTHEST) return undefined;
    tick = uncheckedTick(schedule, endOfDay(schedule, tick, direction), direction);
  }
  return tick;
}

/** The last instant of the day that `tick` lies in, in a direction: no other tick of that day is beyond it. */
function endOfDay({ timezone }: SchedulePlan, tick: number, direction: 1 | -1): number {
  if (direction === 1) return nextMidnight(tick, timezone) - 1;
  const midnight = Math.floor(wallTime(tick, timezone) / DAY) * DAY;
  return Math.min(tick, instantsOf(midnight, timezone)[0] ?? shiftedInstant(midnight, timezone));
}

function uncheckedTick(schedule: SchedulePlan, from: number, direction: 1 | -1): number | undefined {
  if (!Number.isFinite(from)) return undefined;
  if (schedule.kind === 'every') {
    const { everyMs } = schedule;
    return (direction === 1 ? Math.floor(from / everyMs) + 1 : Math.ceil(from / everyMs) - 1) * everyMs;
  }
  const { cron = parseCron(schedule.cron), rule } = read(schedule);
  return (direction === 1 ? nextTick : previousTick)(cron, schedule.timezone, from, rule);
}

function isExcluded({ calendar, timezone }: SchedulePlan, tick: number): boolean {
  return calendar !== undefined && leavesOut(calendar, wallTime(tick, timezone));
}
