import { type CalendarPlan, daysTogether, leavesOut, nextMidnight } from './calendar.ts';
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
} & (
  | {
      readonly kind: 'cron';
      readonly cron: string;
      /** Further expressions: a tick of any is one. */ readonly moreCrons?: readonly string[];
    }
  | {
      readonly kind: 'every';
      readonly everyMs: number;
      /** ISO 8601, where counting begins; absent: 1970. Whole days are counted by the clocks of the time zone. */ readonly anchor?: string;
    }
);

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
  readonly crons?: readonly { readonly cron: Cron; readonly rule: ClockChangeRule }[];
  readonly firstTick: number;
  readonly lastTick: number;
}

const readings = new WeakMap<SchedulePlan, Reading>();

function read(schedule: SchedulePlan): Reading {
  let reading = readings.get(schedule);
  if (!reading) {
    const crons = cronsOf(schedule).map((text) => {
      const cron = parseCron(text);
      return { cron, rule: { ...defaultClockChangeRule(cron), ...schedule.dst } };
    });
    const rules = { crons };
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
  if (schedule.calendar?.onHoliday !== undefined) return movedTick(schedule, schedule.calendar, from, direction);
  let tick = uncheckedTick(schedule, from, direction);
  while (tick !== undefined && isExcluded(schedule, tick)) {
    if (Math.abs(tick - from) > FARTHEST) return undefined;
    tick = uncheckedTick(schedule, endOfDay(schedule, tick, direction), direction);
  }
  return tick;
}

/** The next tick where those of days that are left out come on another day, at the same time by the clock. */
function movedTick(schedule: SchedulePlan, calendar: CalendarPlan, from: number, direction: 1 | -1): number | undefined {
  if (!Number.isFinite(from)) return undefined;
  const { timezone } = schedule;
  for (let at = from; Math.abs(at - from) <= FARTHEST;) {
    const { first, last, counted } = daysTogether(calendar, wallTime(at, timezone));
    const [begin, end] = [instantOf(first, timezone), instantOf(last + DAY, timezone)];
    const ticks = new Set<number>();
    for (let tick = uncheckedTick(schedule, begin - 1, 1); tick !== undefined && tick < end; tick = uncheckedTick(schedule, tick, 1)) {
      const wall = wallTime(tick, timezone);
      ticks.add(leavesOut(calendar, wall) ? instantOf(counted + (wall - Math.floor(wall / DAY) * DAY), timezone) : tick);
    }
    const beyond = [...ticks].filter((tick) => (tick - from) * direction > 0);
    if (beyond.length > 0) return direction === 1 ? Math.min(...beyond) : Math.max(...beyond);
    const next = direction === 1 ? uncheckedTick(schedule, end - 1, 1) : uncheckedTick(schedule, begin, -1);
    if (next === undefined) return undefined;
    at = next;
  }
  return undefined;
}

/** The first instant at which clocks show a wall time, or would have. */
function instantOf(wall: number, timezone: string): number {
  return instantsOf(wall, timezone)[0] ?? shiftedInstant(wall, timezone);
}

/** The last instant of the day that `tick` lies in, in a direction: no other tick of that day is beyond it. */
function endOfDay({ timezone }: SchedulePlan, tick: number, direction: 1 | -1): number {
  if (direction === 1) return nextMidnight(tick, timezone) - 1;
  const midnight = Math.floor(wallTime(tick, timezone) / DAY) * DAY;
  return Math.min(tick, instantsOf(midnight, timezone)[0] ?? shiftedInstant(midnight, timezone));
}

function uncheckedTick(schedule: SchedulePlan, from: number, direction: 1 | -1): number | undefined {
  if (!Number.isFinite(from)) return undefined;
  if (schedule.kind === 'every') return tickOfPeriod(schedule, from, direction);
  const crons = schedule.kind === 'cron' ? (read(schedule).crons ?? []) : [];
  const ticks = crons.flatMap(({ cron, rule }) => (direction === 1 ? nextTick : previousTick)(cron, schedule.timezone, from, rule) ?? []);
  return ticks.length === 0 ? undefined : direction === 1 ? Math.min(...ticks) : Math.max(...ticks);
}

function tickOfPeriod(schedule: SchedulePlan & { kind: 'every' }, from: number, direction: 1 | -1): number | undefined {
  const { everyMs, anchor, timezone } = schedule;
  const start = anchor === undefined ? 0 : Date.parse(anchor);
  const step = (at: number, base: number): number =>
    (direction === 1 ? Math.floor((at - base) / everyMs) + 1 : Math.ceil((at - base) / everyMs) - 1) * everyMs + base;
  if (!countsDays(schedule)) return step(from, start);
  // Clocks can be changed by hours in between: one period before is looked at too.
  const base = wallTime(start, timezone);
  for (let wall = step(wallTime(from, timezone) - direction * everyMs, base); ; wall += direction * everyMs) {
    const tick = instantOf(wall, timezone);
    if ((tick - from) * direction > 0) return tick;
  }
}

/** Whether a tick stands in for that of a day which is left out, at a time that the schedule itself does not have. */
export function isMovedTick(schedule: SchedulePlan, tick: number): boolean {
  return schedule.calendar?.onHoliday !== undefined && uncheckedTick(schedule, tick - 1, 1) !== tick;
}

/** Whether the periods of a schedule are days by the clocks of its time zone. */
export function countsDays(schedule: SchedulePlan): boolean {
  return schedule.kind === 'every' && schedule.anchor !== undefined && schedule.everyMs % DAY === 0 && schedule.timezone !== 'UTC';
}

/** The cron expressions of a schedule. */
export function cronsOf(schedule: SchedulePlan): readonly string[] {
  return schedule.kind === 'cron' ? [schedule.cron, ...(schedule.moreCrons ?? [])] : [];
}

function isExcluded({ calendar, timezone }: SchedulePlan, tick: number): boolean {
  return calendar !== undefined && leavesOut(calendar, wallTime(tick, timezone));
}
