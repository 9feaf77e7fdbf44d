import { instantsOf, shiftedInstant, steadyOffset, wallTime } from './time-zone.ts';

/** A cron expression of five fields, parsed: the values of each field in order. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
  /** Both day fields are restricted: a day that either names is meant, as in every cron since V7. */
  readonly eitherDay: boolean;
}

/** Thrown by `parseCron`; the message says which field, what was given and what is allowed. */
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
 * Parses five-field cron: `*`, lists, ranges, steps, English names of months and days.
 * @throws CronError on anything else; six fields, `#`, `L`, `W` and `?` are refused because servers read them differently.
 */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 5) {
    throw new CronError(
      `'${text}' has ${parts.length} field${parts.length === 1 ? '' : 's'}; a cron expression has five: minute hour day-of-month month day-of-week.`,
    );
  }
  const [minutes, hours, daysOfMonth, months, weekdays] = FIELDS.map((field, index) => parseField(parts[index] ?? '', field));
  const daysOfWeek = [...new Set((weekdays ?? []).map((day) => day % 7))].sort((a, b) => a - b);
  return {
    minutes: minutes ?? [],
    hours: hours ?? [],
    daysOfMonth: daysOfMonth ?? [],
    months: months ?? [],
    daysOfWeek,
    eitherDay: !parts[2]?.startsWith('*') && !parts[4]?.startsWith('*'),
  };
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
    if (!/^\d{1,2}$/.test(word)) return fail(`has '${word}', which is no number`);
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
    // `5/15` means from 5 on; `*` of the weekday ends at Saturday, so that Sunday is not counted twice in a step.
    const top = field.max === 7 ? 6 : field.max;
    const to = first === '*' ? top : last !== undefined ? number(last) : step !== undefined ? top : from;
    if (to < from) fail(`has a range that runs backwards`);
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** 29 February can be eight years away (1896–1904, 2096–2104). */
const FARTHEST_DAYS = 8 * 366 + 2;
/** No clock has been put forward or back by more, but for days that a country left out. */
const LARGEST_CHANGE = 4 * HOUR;

/** What becomes of a tick where clocks leave its time out, and where they show it twice. */
export interface ClockChangeRule {
  /** As much later as clocks are put forward, or not at all. */
  readonly gap: 'shift' | 'skip';
  readonly overlap: 'first' | 'both';
}

/**
 * The rule where nobody says another. What names its hours means one time of the day, once; what fires every hour means the hours that
 * pass, and there is one more of them.
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
  // One day back against the direction: an instant that clocks show twice can lie on the other side of midnight.
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
  if (!cron.months.includes(date.getUTCMonth() + 1)) return false;
  const byMonth = cron.daysOfMonth.includes(date.getUTCDate());
  const byWeek = cron.daysOfWeek.includes(date.getUTCDay());
  return cron.eitherDay ? byMonth || byWeek : byMonth && byWeek;
}
