import { instantsOf, shiftedInstant, steadyOffset, wallTime } from './time-zone.ts';

/** A parsed cron expression of five fields: the values of each field in order. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  readonly months: readonly number[];
  /** `L`: the last day of each month. */
  readonly lastDay: boolean;
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
  /** `1#2`, the second Monday of a month, and `5L`, the last Friday: `nth` is -1. */
  readonly nthWeekdays: readonly { readonly weekday: number; readonly nth: number }[];
  /** Both day fields are restricted: a day that matches either one counts, as in every cron since V7. */
  readonly eitherDay: boolean;
}

/** Thrown by `parseCron`. The message names the field, the given value and the allowed values. */
export class CronError extends Error {
  override readonly name = 'CronError';
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day of week', min: 0, max: 7, words: DAYS },
] as const;

/**
 * Parses five-field cron: `*`, lists, ranges (`FRI-MON` and `22-2` wrap around), steps, English names of months and days, `L` for the last
 * day of a month, `5L` for its last Friday and `1#2` for its second Monday.
 * @throws CronError on anything else. Six fields, `W` and `?` are refused because servers interpret them differently.
 */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 5) {
    throw new CronError(
      `'${text}' has ${parts.length} field${parts.length === 1 ? '' : 's'}; a cron expression has five: minute hour day-of-month month day-of-week.`,
    );
  }
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts;
  const items = dayOfMonth.split(',');
  const days = items.filter((item) => !/^l$/i.test(item));
  const nthWeekdays = dayOfWeek.split(',').flatMap((item) => nthWeekday(item) ?? []);
  const weekdays = dayOfWeek.split(',').filter((item) => nthWeekday(item) === undefined);
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = FIELDS.map((field, index) => {
    const fields = [minute, hour, days.join(','), month, weekdays.join(',')];
    const isLeftOut = fields[index] === '' && parts[index] !== '';
    return isLeftOut ? [] : parseField(fields[index] ?? '', field);
  });
  return {
    minutes: minutes ?? [],
    hours: hours ?? [],
    daysOfMonth: daysOfMonth ?? [],
    lastDay: days.length < items.length,
    months: months ?? [],
    daysOfWeek: [...new Set((daysOfWeek ?? []).map((day) => day % 7))].sort((a, b) => a - b),
    nthWeekdays,
    eitherDay: !dayOfMonth.startsWith('*') && !dayOfWeek.startsWith('*'),
  };
}

/** `1#2`, `MON#2`, `5L` or `L5` in the day-of-week field; undefined for anything else. */
function nthWeekday(item: string): Cron['nthWeekdays'][number] | undefined {
  const [, day = '', nth] = /^([0-7]|[a-z]{3})#([1-5])$/i.exec(item) ?? [];
  const [, before, after] = /^(?:([0-7]|[a-z]{3})l|l([0-7]))$/i.exec(item) ?? [];
  const word = (day || before) ?? after;
  if (word === undefined || word === '') return undefined;
  const named = DAYS.indexOf(word.toLowerCase());
  if (named < 0 && !/^[0-7]$/.test(word)) return undefined;
  return { weekday: (named >= 0 ? named : Number(word)) % 7, nth: nth === undefined ? -1 : Number(nth) };
}

function parseField(text: string, field: (typeof FIELDS)[number]): number[] {
  const fail = (what: string): never => {
    throw new CronError(
      `The ${field.name} field '${text}' ${what}; allowed: ${field.min}-${field.max}${field.words.length > 0 ? ` or ${field.words.slice(0, 3).join(', ')}…` : ''}, with * , - and /.`,
    );
  };
  const number = (word: string): number => {
    const named = (field.words as readonly string[]).indexOf(word.toLowerCase());
    if (named >= 0) return named + field.min;
    if (!/^\d{1,2}$/.test(word)) return fail(`has '${word}', which is not a number`);
    const value = Number(word);
    return value >= field.min && value <= field.max ? value : fail(`has ${value}, which is out of range`);
  };
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^(\*|[^-/]+)(?:-([^-/]+))?(?:\/(\d{1,2}))?$/.exec(item) ?? fail('is not understood');
    const [, first = '', last, step] = match;
    const by = step === undefined ? 1 : Number(step);
    if (by < 1) fail('has a step of 0');
    if (first === '*' && last !== undefined) fail('is not understood');
    const from = first === '*' ? field.min : number(first);
    // `5/15` means from 5 on. For weekdays, `*` ends at Saturday, so that a step does not count Sunday twice.
    const top = field.max === 7 ? 6 : field.max;
    const to = first === '*' ? top : last !== undefined ? number(last) : step !== undefined ? top : from;
    // A range whose end is before its start wraps around.
    const round = top - field.min + 1;
    for (let value = from; value <= (to < from ? to + round : to); value += by)
      values.add(value > Math.max(top, from) ? value - round : value);
  }
  return [...values].sort((a, b) => a - b);
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The next 29 February can be eight years away (1896–1904, 2096–2104). */
const FARTHEST_DAYS = 8 * 366 + 2;
/** The largest clock change ever, except for days that a country skipped. */
const LARGEST_CHANGE = 4 * HOUR;

/** What happens to a tick whose wall time is skipped by a clock change, or occurs twice. */
export interface ClockChangeRule {
  /** Shift it by the size of the clock change, or skip it. */
  readonly gap: 'shift' | 'skip';
  readonly overlap: 'first' | 'both';
}

/**
 * The default rule. An expression that names hours means a time of day, once. An expression that fires every hour means elapsed hours, of
 * which there is one more.
 */
export function defaultClockChangeRule({ hours }: Cron): ClockChangeRule {
  return { gap: 'shift', overlap: hours.length === 24 ? 'both' : 'first' };
}

/** The first tick after `after` (exclusive), in milliseconds since 1970; undefined when there is none, as for 31 February. */
export function nextTick(cron: Cron, zone: string, after: number, rule = defaultClockChangeRule(cron)): number | undefined {
  return search(cron, zone, after, 1, rule);
}

/** The last tick before `before` (exclusive). */
export function previousTick(cron: Cron, zone: string, before: number, rule = defaultClockChangeRule(cron)): number | undefined {
  return search(cron, zone, before, -1, rule);
}

function search(cron: Cron, zone: string, from: number, direction: 1 | -1, rule: ClockChangeRule): number | undefined {
  const now = wallTime(from, zone);
  const today = Math.floor(now / DAY) * DAY;
  const inOrder = (values: readonly number[]): readonly number[] => (direction === 1 ? values : [...values].reverse());
  const [hours, minutes] = [inOrder(cron.hours), inOrder(cron.minutes)];
  // Start one day back: an instant whose wall time occurs twice can be on the other side of midnight.
  for (let distance = -1; distance <= FARTHEST_DAYS; distance++) {
    const day = today + direction * distance * DAY;
    if (!matchesDay(cron, day)) continue;
    const offset = steadyOffset(day, zone);
    let found: number | undefined;
    for (const hour of hours) {
      const hourStart = day + hour * HOUR;
      if ((hourStart - now) * direction < -LARGEST_CHANGE - HOUR) continue;
      for (const minute of minutes) {
        const wall = hourStart + minute * 60_000;
        if (offset !== undefined) {
          if ((wall - offset - from) * direction > 0) return wall - offset;
          continue;
        }
        for (const instant of ticksAt(wall, zone, rule)) {
          if ((instant - from) * direction > 0 && (found === undefined || (instant - found) * direction < 0)) found = instant;
        }
      }
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The instants at which a tick of the wall time `wall` fires. */
function ticksAt(wall: number, zone: string, { gap, overlap }: ClockChangeRule): number[] {
  const instants = instantsOf(wall, zone);
  if (instants.length === 0) return gap === 'shift' ? [shiftedInstant(wall, zone)] : [];
  return overlap === 'first' ? instants.slice(0, 1) : instants;
}

function matchesDay(cron: Cron, day: number): boolean {
  const date = new Date(day);
  const [month, dayOfMonth, weekday] = [date.getUTCMonth(), date.getUTCDate(), date.getUTCDay()];
  if (!cron.months.includes(month + 1)) return false;
  const isLastDay = new Date(day + DAY).getUTCMonth() !== month;
  const isLastWeek = new Date(day + 7 * DAY).getUTCMonth() !== month;
  const byMonth = cron.daysOfMonth.includes(dayOfMonth) || (cron.lastDay && isLastDay);
  const byWeek =
    cron.daysOfWeek.includes(weekday) ||
    cron.nthWeekdays.some((each) => each.weekday === weekday && (each.nth === -1 ? isLastWeek : Math.ceil(dayOfMonth / 7) === each.nth));
  return cron.eitherDay ? byMonth || byWeek : byMonth && byWeek;
}
