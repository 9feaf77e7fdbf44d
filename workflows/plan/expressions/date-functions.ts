import { instantAt, parseMoment } from '../timetable/moment.ts';
import { isTimeZone, wallTime } from '../timetable/time-zone.ts';
import type { Environment } from './cel.ts';
import { cost } from './cost.ts';
import { formatWall } from './date-format.ts';

const TIME = 'google.protobuf.Timestamp';
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** The cost of a date calculation, in steps: time zones are looked up in tables. */
const STEPS = 200;
/** Formats of the text that functions return. */
const DAY_FORMAT = 'yyyy-MM-dd';
const TIME_FORMAT = "yyyy-MM-dd'T'HH:mm:ssXXX";

/** A date function, for the documentation. `x` is a time, or text with a date or time. */
export interface DateFunction {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  readonly example: readonly [expression: string, result: string];
}

type Given = Date | string;

/** The value a function works on: the wall time in the zone, as milliseconds in UTC. */
interface Wall {
  readonly wall: number;
  /** The form of the result. */
  readonly form: 'time' | 'day' | 'text';
}

/** Calendar units, by function name. */
const ADDITIONS: Readonly<Record<string, (wall: number, amount: number) => number>> = {
  addDays: (wall, amount) => wall + amount * DAY_MS,
  addWeeks: (wall, amount) => wall + amount * 7 * DAY_MS,
  addMonths: plusMonths,
  addYears: (wall, amount) => plusMonths(wall, 12 * amount),
};

/** Units of fixed length in every zone, in milliseconds. */
const ELAPSED: Readonly<Record<string, number>> = { addMinutes: 60_000, addHours: HOUR_MS };

const PERIODS: Readonly<Record<string, { readonly start: (wall: number) => number; readonly next: (start: number) => number }>> = {
  Day: { start: midnight, next: (start) => start + DAY_MS },
  Week: { start: (wall) => midnight(wall) - ((weekday(wall) + 6) % 7) * DAY_MS, next: (start) => start + 7 * DAY_MS },
  Month: { start: (wall) => firstOf(wall, 1), next: (start) => plusMonths(start, 1) },
  Quarter: { start: (wall) => firstOf(wall, 3), next: (start) => plusMonths(start, 3) },
  Year: { start: (wall) => firstOf(wall, 12), next: (start) => plusMonths(start, 12) },
};

const names = (prefix: string, units: readonly string[]): string => units.map((unit) => `\`${prefix}${unit}\``).join(', ');

/** The functions as the documentation lists them. The examples assume a pipeline in Europe/Berlin whose `ds` is 2024-05-15. */
export const DATE_FUNCTIONS: readonly DateFunction[] = [
  {
    name: 'date',
    usage: '`date(x)`, `date(x, format)`',
    meaning: 'the day of `x`, or `x` as the format shows it',
    example: ['date(logical_date, "yyyy/MM")', '2024/05'],
  },
  {
    name: 'addDays',
    usage: `${names('add', ['Minutes', 'Hours', 'Days', 'Weeks', 'Months', 'Years'])} \`(x, n)\``,
    meaning: 'as much later, or earlier where `n` is negative; a month later than 31 January is the last day of February',
    example: ['addDays(ds, -7)', '2024-05-08'],
  },
  {
    name: 'startOfMonth',
    usage: `${names('startOf', Object.keys(PERIODS))} \`(x)\``,
    meaning: 'the first moment of it; weeks begin on Monday',
    example: ['startOfMonth(ds)', '2024-05-01'],
  },
  {
    name: 'endOfMonth',
    usage: `${names('endOf', ['Week', 'Month', 'Quarter', 'Year'])} \`(x)\``,
    meaning: 'its last day, as text',
    example: ['endOfMonth(ds)', '2024-05-31'],
  },
  { name: 'dayOfWeek', usage: '`dayOfWeek(x)`', meaning: '1 (Monday) to 7 (Sunday)', example: ['dayOfWeek(ds)', '3'] },
  {
    name: 'daysBetween',
    usage: '`daysBetween(x, y)`',
    meaning: 'how many days `y` is after `x`',
    example: ['daysBetween(startOfYear(ds), ds)', '135'],
  },
];

/**
 * Adds functions that format dates and calculate with them. All use the time zone `zone`, unless their last argument is a zone.
 * @param zone an IANA name
 * @param known whether types are known: if an operand's type is unknown, cel-js assumes the return type of the first function with that
 *   name
 */
export function addDateFunctions(language: Environment, zone: string, known: boolean): void {
  /** Registers a function of a time or text, with and without a final zone argument. */
  const add = (
    name: string,
    more: readonly string[],
    returns: string,
    apply: (given: Given, rest: readonly unknown[], own: string) => unknown,
  ): void => {
    for (const first of ['string', TIME]) {
      const result = returns !== 'same' ? returns : known ? first : 'dyn';
      const parameters = [first, ...more];
      language.registerFunction(`${name}(${parameters.join(', ')}): ${result}`, (given: Given, ...rest: unknown[]) => {
        cost.charge(STEPS);
        return apply(given, rest, zone);
      });
      language.registerFunction(`${name}(${[...parameters, 'string'].join(', ')}): ${result}`, (given: Given, ...rest: unknown[]) => {
        cost.charge(STEPS);
        return apply(given, rest.slice(0, -1), zoneOf(rest.at(-1), name));
      });
    }
  };
  const dateOf = (given: Given, format: string, own: string): string => {
    const { wall } = wallOf(given, own);
    return formatWall(wall, (wall - instantOf(given, own)) / 60_000, format);
  };
  for (const first of ['string', TIME]) {
    language.registerFunction(`date(${first}): string`, (given: Given) => (cost.charge(STEPS), dateOf(given, DAY_FORMAT, zone)));
  }
  add('date', ['string'], 'string', (given, [format], own) => dateOf(given, String(format), own));
  for (const [name, plus] of Object.entries(ADDITIONS)) {
    add(name, ['int'], 'same', (given, [amount], own) => {
      const { wall, form } = wallOf(given, own);
      return resultOf(plus(wall, Number(amount)), form, own);
    });
  }
  for (const [name, unit] of Object.entries(ELAPSED)) {
    add(name, ['int'], 'same', (given, [amount], own) => {
      const instant = checked(instantOf(given, own) + Number(amount) * unit);
      return given instanceof Date ? new Date(instant) : formatInstant(instant, own);
    });
  }
  for (const [unit, { start, next }] of Object.entries(PERIODS)) {
    add(`startOf${unit}`, [], 'same', (given, _, own) => {
      const { wall, form } = wallOf(given, own);
      return resultOf(start(wall), form, own);
    });
    if (unit === 'Day') continue;
    add(`endOf${unit}`, [], 'string', (given, _, own) => formatWall(checked(next(start(wallOf(given, own).wall)) - DAY_MS), 0, DAY_FORMAT));
  }
  add('dayOfWeek', [], 'int', (given, _, own) => BigInt(weekday(wallOf(given, own).wall) || 7));
  for (const second of ['string', TIME]) {
    add('daysBetween', [second], 'int', (from, [to], own) =>
      BigInt((midnight(wallOf(to as Given, own).wall) - midnight(wallOf(from, own).wall)) / DAY_MS),
    );
  }
}

/** An instant (milliseconds) as ISO 8601 with the offset of `zone`: `2024-05-01T00:00:00+02:00`. */
export function formatInstant(instant: number, zone: string): string {
  const wall = wallTime(instant, zone);
  return formatWall(wall, (wall - instant) / 60_000, TIME_FORMAT);
}

function zoneOf(value: unknown, name: string): string {
  if (typeof value === 'string' && isTimeZone(value)) return value;
  throw new RangeError(`${name}(): '${String(value)}' is not a time zone such as UTC or Europe/Berlin`);
}

function wallOf(given: Given, zone: string): Wall {
  if (given instanceof Date) return { wall: wallTime(given.getTime(), zone), form: 'time' };
  const { instant, isDay } = momentOf(given, zone);
  return { wall: wallTime(instant, zone), form: isDay ? 'day' : 'text' };
}

function instantOf(given: Given, zone: string): number {
  return given instanceof Date ? given.getTime() : momentOf(given, zone).instant;
}

/** @throws RangeError for text that is neither a date nor a time */
function momentOf(text: string, zone: string): { readonly instant: number; readonly isDay: boolean } {
  const moment = parseMoment(text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'), zone);
  if (moment) return moment;
  throw new RangeError(`'${text.slice(0, 40)}' is not a day such as 2024-01-31, nor a time such as 2024-01-31T06:00`);
}

function resultOf(wall: number, form: Wall['form'], zone: string): Given {
  checked(wall);
  if (form === 'day') return formatWall(wall, 0, DAY_FORMAT);
  const instant = instantAt(wall, zone);
  return form === 'time' ? new Date(instant) : formatInstant(instant, zone);
}

/** Allows years of four digits only, as databases and ISO 8601 do. @throws RangeError otherwise */
function checked(wall: number): number {
  if (wall >= FIRST && wall < END) return wall;
  throw new RangeError('the date lies outside of the years 0001 to 9999');
}

const FIRST = Date.parse('0001-01-01T00:00:00Z');
const END = Date.parse('9999-12-31T00:00:00Z') + DAY_MS;

function midnight(wall: number): number {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

/** 0 for Sunday. */
function weekday(wall: number): number {
  return new Date(wall).getUTCDay();
}

/** The first day of the period of `months` months that contains a time. */
function firstOf(wall: number, months: number): number {
  const date = new Date(wall);
  return utc(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / months) * months, 1);
}

function plusMonths(wall: number, months: number): number {
  const date = new Date(wall);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const lastDay = new Date(utc(year, month + 1, 0)).getUTCDate();
  return utc(year, month, Math.min(date.getUTCDate(), lastDay)) + (wall - midnight(wall));
}

/** `Date.UTC` maps the years 0 to 99 to the twentieth century. */
function utc(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.getTime();
}
