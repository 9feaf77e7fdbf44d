import pg from 'pg';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';

/** Converts a server's text to a JSON value. */
type Parser = (text: string) => unknown;

const number: Parser = (text) => {
  const value = Number(text);
  // JSON has neither NaN nor Infinity.
  return Number.isFinite(value) ? value : text;
};
const json: Parser = parseExactJson;
const bytes: Parser = (text) => (pg.types.getTypeParser(17) as (text: string) => Buffer)(text).toString('base64');

/** Types by OID (pg_type.dat). All other types stay text: bigint and numeric keep every digit, and intervals their format. */
const SCALARS: Readonly<Record<number, Parser>> = {
  16: (text) => text === 't',
  17: bytes,
  21: number, // smallint
  23: number, // integer
  26: number, // oid
  700: number, // real
  701: number, // double precision
  114: json,
  3802: json, // jsonb
  1082: isoOf, // date
  1114: isoOf, // timestamp
  1184: isoOf, // timestamptz
};

/** OID of an array → OID of its elements. 0: elements stay text. */
const ARRAYS: Readonly<Record<number, number>> = {
  1000: 16,
  1001: 17,
  1005: 21,
  1007: 23,
  1028: 26,
  1021: 700,
  1022: 701,
  199: 114,
  3807: 3802,
  1182: 1082,
  1115: 1114,
  1185: 1184,
  // bigint, numeric, interval, text, varchar, char, name, regproc, uuid, inet, cidr, macaddr, money, time, timetz, numrange
  ...Object.fromEntries(
    [1016, 1231, 1187, 1009, 1015, 1014, 1002, 1003, 1008, 2951, 1041, 651, 1040, 791, 1183, 1270, 3907].map((oid) => [oid, 0]),
  ),
};

/**
 * Converts result values to JSON, or keeps the server's text if JSON cannot represent them. Never throws: `pg` calls it in an event
 * handler, where an error would crash the process, and `pg`'s own parsers fail on a date past the year 275760.
 */
export const VALUES_AS_JSON: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => {
    const element = ARRAYS[oid];
    const parse = element === undefined ? SCALARS[oid] : arrayOf(SCALARS[element] ?? asText);
    return parse === undefined ? asText : (text: string) => parseOr(parse, text);
  }) as typeof pg.types.getTypeParser,
};

const asText: Parser = (text) => text;

function parseOr(parse: Parser, text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/** Elements as texts; multidimensional arrays are nested. */
type Texts = readonly (string | null | Texts)[];

function arrayOf(element: Parser): Parser {
  // text[], which is missing in the types of `pg`
  const textsOf = (pg.types.getTypeParser as (oid: number) => (text: string) => Texts)(1009);
  const parsed = (texts: Texts): unknown[] =>
    texts.map((each) => (each === null ? null : typeof each === 'string' ? parseOr(element, each) : parsed(each)));
  return (text) => parsed(textsOf(text));
}

const TIME = /^(\d{4,})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?)?( BC)?$/;

/**
 * Converts a date or time to ISO 8601 in UTC, with digits below a millisecond only if present: `2024-02-29T12:00:00.123456Z`. Returns the
 * text itself for `infinity`, for dates outside JavaScript's range, and if the session uses another date style.
 */
function isoOf(text: string): string {
  const match = TIME.exec(text);
  if (!match) return text;
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, hours = 0, minutes = 0, seconds = 0, isBC] = match;
  const digits = fraction.padEnd(6, '0');
  const date = new Date(0);
  date.setUTCFullYear(isBC === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  const offset = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1 : 1);
  date.setUTCHours(Number(hour), Number(minute), Number(second) - offset, Number(digits.slice(0, 3)));
  if (Number.isNaN(date.getTime())) return text;
  const below = digits.slice(3);
  return below === '000' ? date.toISOString() : date.toISOString().replace('Z', `${below}Z`);
}
