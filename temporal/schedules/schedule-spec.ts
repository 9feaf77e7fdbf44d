import type { ScheduleOptions } from '@temporalio/client';
import { parseCron } from '../../workflows/plan/timetable/cron.ts';
import { countsDays, cronsOf, isMovedTick, type SchedulePlan, tickAfter, tickBounds } from '../../workflows/plan/timetable/schedule.ts';
import { calendarsOf, MONTHS } from './cron-calendars.ts';
import { clockChanges, wallTime } from '../../workflows/plan/timetable/time-zone.ts';

type Spec = ScheduleOptions['spec'];
type CalendarSpec = NonNullable<Spec['skip']>[number];
type IntervalSpec = NonNullable<Spec['intervals']>[number];

const SECOND = 1000;
const HOUR = 3_600_000;
/** Ticks within this time of a clock change are listed explicitly. */
const VICINITY = HOUR;
/** Years for which clock changes are listed; each schedule is updated once a year. */
const YEARS = 5;
/** Maximum number of listed ticks: a cron of every minute needs 300 for each clock change. */
const MAX_SPELLED_OUT = 1000;

/** Converts a schedule to a Temporal spec. @param now milliseconds: includes clock changes from then on */
export function scheduleSpec(schedule: SchedulePlan, now: number): Spec {
  const { firstTick, lastTick } = tickBounds(schedule);
  const clocks = spelledOutChanges(schedule, now);
  return {
    ...cronSpec(schedule),
    intervals: [...periods(schedule), ...spelledOutTicks(schedule, now).map(once), ...clocks.ticks.map(once)],
    skip: [...excludedDays(schedule), ...clocks.skip],
    timezone: schedule.timezone,
    ...(schedule.jitterMs !== undefined && { jitter: schedule.jitterMs }),
    ...(Number.isFinite(firstTick) && { startAt: new Date(firstTick) }),
    // An end before 1970 means no ticks. One second is added for ticks that are shifted by a second.
    ...(lastTick !== Infinity && { endAt: new Date(Math.max(lastTick, 0) + (schedule.kind === 'cron' ? SECOND : 0)) }),
  };
}

/**
 * The horizon of a schedule's spec, as a suffix of its hash; empty if the spec is always valid. Changes once a year.
 */
export function specHorizon(schedule: SchedulePlan | null, now: number): string {
  if (!schedule || (spelledOutChanges(schedule, now).skip.length === 0 && spelledOutTicks(schedule, now).length === 0)) return '';
  return `~${new Date(now).getUTCFullYear() + YEARS}`;
}

/** Temporal parses plain cron expressions; all others are converted to calendars. */
function cronSpec(schedule: SchedulePlan): Pick<NonNullable<Spec>, 'cronExpressions' | 'calendars'> {
  const crons = cronsOf(schedule);
  const plain = crons.filter(isPlain);
  const calendars = crons.filter((text) => !isPlain(text)).flatMap((text) => calendarsOf(parseCron(text)));
  return {
    ...(plain.length > 0 && { cronExpressions: plain.flatMap(cronExpressions) }),
    ...(calendars.length > 0 && { calendars }),
  };
}

/** Whether an expression has no last day, no nth weekday and no range that wraps around. */
function isPlain(text: string): boolean {
  const { lastDay, nthWeekdays } = parseCron(text);
  if (lastDay || nthWeekdays.length > 0) return false;
  return [...text.matchAll(/(\w+)-(\w+)/g)].every(
    ([, first = '', last = '']) => /^\d+$/.test(first + last) && Number(first) <= Number(last),
  );
}

/** Temporal requires both day fields to match, while cron requires either: use two expressions. */
function cronExpressions(cron: string): string[] {
  if (!parseCron(cron).eitherDay) return [cron];
  const [minute, hour, dayOfMonth, month, dayOfWeek] = cron.split(' ');
  return [`${minute} ${hour} ${dayOfMonth} ${month} *`, `${minute} ${hour} * ${month} ${dayOfWeek}`];
}

function periods(schedule: SchedulePlan): IntervalSpec[] {
  if (schedule.kind !== 'every' || countsDays(schedule)) return [];
  const { everyMs, anchor } = schedule;
  return [{ every: everyMs, ...(anchor !== undefined && { offset: Date.parse(anchor) % everyMs }) }];
}

/** Ticks of the coming years that Temporal's calendars and intervals cannot express: shifted ticks, and those of some days. */
function spelledOutTicks(schedule: SchedulePlan, now: number): number[] {
  const isPeriodOfDays = countsDays(schedule);
  if (!isPeriodOfDays && schedule.calendar?.onHoliday === undefined) return [];
  const ticks: number[] = [];
  const end = now + YEARS * 366 * 24 * HOUR;
  for (let tick = tickAfter(schedule, now - 24 * HOUR); tick !== undefined && tick < end; tick = tickAfter(schedule, tick)) {
    if (isPeriodOfDays || isMovedTick(schedule, tick)) ticks.push(tick);
    if (ticks.length >= MAX_SPELLED_OUT) break;
  }
  return ticks;
}

const ALL_DAY = { hour: { start: 0, end: 23 }, minute: { start: 0, end: 59 }, second: { start: 0, end: 59 } } as const;

function excludedDays({ calendar }: SchedulePlan): CalendarSpec[] {
  const days = (calendar?.exclude ?? []).map((day): CalendarSpec => ({ ...ALL_DAY, ...dateOf(day), comment: `no runs on ${day}` }));
  return calendar?.businessDays ? [...days, { ...ALL_DAY, dayOfWeek: ['SATURDAY', 'SUNDAY'], comment: 'business days only' }] : days;
}

/** An hour in local time: `2024-03-31T02`. */
type ShownHour = string;

interface SpelledOut {
  /** Instants at which the schedule fires, shifted by one second. */
  readonly ticks: readonly number[];
  readonly skip: readonly CalendarSpec[];
}

/**
 * Lists the ticks around clock changes: Temporal's calendars have no rule for them, and fire at other times (seen on server 1.29.1). These
 * hours are skipped, and our ticks are added as instants, shifted by one second: a skip matches local time to the second and would remove
 * them too.
 */
function spelledOutChanges(schedule: SchedulePlan, now: number): SpelledOut {
  const ticks: number[] = [];
  const skip: CalendarSpec[] = [];
  if (schedule.kind !== 'cron') return { ticks, skip };
  const hours = cronsOf(schedule).flatMap((text) => parseCron(text).hours);
  for (const change of clockChanges(schedule.timezone, now - 24 * HOUR, now + YEARS * 366 * 24 * HOUR)) {
    const vicinity = vicinityOf(change, schedule.timezone);
    const near = ticksNear(schedule, change, vicinity);
    if (ticks.length > 0 && ticks.length + near.length > MAX_SPELLED_OUT) break;
    if (near.length === 0 && !vicinity.some((shown) => hours.includes(Number(shown.slice(-2))))) continue;
    ticks.push(...near.map((tick) => tick + SECOND));
    const comment = `clocks change at ${new Date(change).toISOString().slice(0, 16)}Z`;
    for (const day of new Set(vicinity.map((shown) => shown.slice(0, 10)))) {
      const hour = vicinity.filter((shown) => shown.startsWith(day)).map((shown) => Number(shown.slice(-2)));
      skip.push({ ...dateOf(day), hour, minute: { start: 0, end: 59 }, second: 0, comment });
    }
  }
  return { ticks, skip };
}

/** When the Schedule fires for a tick: at the tick, or one second later near a clock change. */
export function firingInstant(schedule: SchedulePlan, tick: number): number {
  if (schedule.kind !== 'cron') return tick;
  const shown = hourShown(tick, schedule.timezone);
  const changes = clockChanges(schedule.timezone, tick - 2 * VICINITY, tick + 2 * VICINITY);
  return changes.some((change) => vicinityOf(change, schedule.timezone).includes(shown)) ? tick + SECOND : tick;
}

function ticksNear(schedule: SchedulePlan, change: number, vicinity: readonly ShownHour[]): number[] {
  const near: number[] = [];
  for (
    let tick = tickAfter(schedule, change - 2 * VICINITY);
    tick !== undefined && tick < change + 2 * VICINITY;
    tick = tickAfter(schedule, tick)
  ) {
    if (vicinity.includes(hourShown(tick, schedule.timezone))) near.push(tick);
  }
  return near;
}

/** The local hours around a clock change, including those that the change skips. */
function vicinityOf(change: number, timezone: string): ShownHour[] {
  const from = wallTime(change - VICINITY, timezone);
  const to = Math.max(wallTime(change + VICINITY - 1, timezone), from);
  const hours = new Set<ShownHour>();
  for (let wall = Math.floor(from / HOUR) * HOUR; wall <= to; wall += HOUR) hours.add(hourOf(wall));
  return [...hours];
}

function hourShown(instant: number, timezone: string): ShownHour {
  return hourOf(wallTime(instant, timezone));
}

function hourOf(wall: number): ShownHour {
  return new Date(wall).toISOString().slice(0, 13);
}

function dateOf(day: string): Pick<CalendarSpec, 'year' | 'month' | 'dayOfMonth'> {
  const [year = 0, month = 1, dayOfMonth = 1] = day.split('-').map(Number);
  return { year, month: MONTHS[month - 1] ?? 'JANUARY', dayOfMonth };
}

/** An interval, counted from 1970, that fires at one instant and not again while the schedule exists. */
function once(instant: number): IntervalSpec {
  return { every: instant };
}
