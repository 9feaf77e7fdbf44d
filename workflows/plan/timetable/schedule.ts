import { type CalendarPlan, daysTogether, leavesOut, nextMidnight } from './calendar.ts';
import { type ClockChangeRule, type Cron, defaultClockChangeRule, nextTick, parseCron, previousTick } from './cron.ts';
import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

/** The schedule of a pipeline, as in the plan. */
export type SchedulePlan = {
  readonly timezone: string;
  readonly jitterMs?: number;
  /** The delay between the tick and the start of the run's work. */
  readonly startDelayMs?: number;
  /** ISO 8601: only intervals that start in `[startAt, endAt]`. */
  readonly startAt?: string;
  readonly endAt?: string;
  /** Days without ticks; the interval of the next tick covers them. */
  readonly calendar?: CalendarPlan;
  /** Absent: the rule of `defaultClockChangeRule`. */
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

/** The first tick after `after` (exclusive, milliseconds), or undefined when no ticks are left. */
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

/** The first and last tick that `start_date` and `end_date` allow, in milliseconds; infinite if they are not set. */
export function tickBounds(schedule: SchedulePlan): { readonly firstTick: number; readonly lastTick: number } {
  return read(schedule);
}

/**
 * The data interval of a run at `instant` (milliseconds), as in Airflow: from the previous tick to the tick at or before `instant`. So a
 * scheduled run processes the interval that has just ended, and a manual run the last complete one. Without a schedule the interval is
 * empty: `[instant, instant)`.
 */
export function dataIntervalAt(schedule: SchedulePlan | null, instant: number): DataInterval {
  const end = schedule === null ? instant : (rawTick(schedule, instant + 1, -1) ?? instant);
  const start = schedule === null ? instant : (rawTick(schedule, end, -1) ?? end);
  return { start: iso(start), end: iso(end) };
}

/** The data interval that contains `instant` (milliseconds); undefined if the schedule has none. */
export function dataIntervalAround(schedule: SchedulePlan, instant: number): DataInterval | undefined {
  const start = rawTick(schedule, instant + 1, -1);
  const end = rawTick(schedule, instant, 1);
  return start === undefined || end === undefined ? undefined : { start: iso(start), end: iso(end) };
}

/** ISO 8601 in UTC, without milliseconds if they are zero. */
export function iso(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

/** A parsed schedule. */
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
      // A run starts at the end of its interval, so the first tick ends the first whole interval since start_date.
      firstTick: startAt === undefined ? -Infinity : firstStart === undefined ? Infinity : (rawTick(schedule, firstStart, 1) ?? Infinity),
      lastTick: endAt === undefined ? Infinity : lastStart === undefined ? -Infinity : (rawTick(schedule, lastStart, 1) ?? -Infinity),
    };
    readings.set(schedule, reading);
  }
  return reading;
}

const DAY = 86_400_000;
/** Eight years and a day: a schedule without a tick in that time never ticks. */
const FARTHEST = (8 * 366 + 1) * DAY;

/** The next tick on counted days in one direction, regardless of `start_date` and `end_date`. */
function rawTick(schedule: SchedulePlan, from: number, direction: 1 | -1): number | undefined {
  if (schedule.calendar?.onHoliday !== undefined) return movedTick(schedule, schedule.calendar, from, direction);
  let tick = uncheckedTick(schedule, from, direction);
  while (tick !== undefined && isExcluded(schedule, tick)) {
    if (Math.abs(tick - from) > FARTHEST) return undefined;
    tick = uncheckedTick(schedule, endOfDay(schedule, tick, direction), direction);
  }
  return tick;
}

/** The next tick, with ticks on excluded days moved to another day at the same time of day. */
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

/** The first instant with this wall time, or when it would have occurred. */
function instantOf(wall: number, timezone: string): number {
  return instantsOf(wall, timezone)[0] ?? shiftedInstant(wall, timezone);
}

/** The last instant in one direction on the day of `tick`: no other tick of that day is beyond it. */
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
  // Clocks can change by hours in between, so start one period earlier.
  const base = wallTime(start, timezone);
  for (let wall = step(wallTime(from, timezone) - direction * everyMs, base); ; wall += direction * everyMs) {
    const tick = instantOf(wall, timezone);
    if ((tick - from) * direction > 0) return tick;
  }
}

/** Whether a tick was moved from an excluded day to a time that the schedule itself does not have. */
export function isMovedTick(schedule: SchedulePlan, tick: number): boolean {
  return schedule.calendar?.onHoliday !== undefined && uncheckedTick(schedule, tick - 1, 1) !== tick;
}

/** Whether the periods of a schedule are calendar days in its time zone. */
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
