import { instantsOf, shiftedInstant } from './time-zone.ts';

const DAY_TEXT = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** A day or time given as text. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly instant: number;
  /** Whether the text has only a date; `instant` is then its first moment. */
  readonly isDay: boolean;
  /** Whether the text has a UTC offset. */
  readonly hasOffset: boolean;
}

/**
 * The UTC midnight of a day (`2024-01-31`), in milliseconds; undefined if the calendar has no such day. `Date.parse` accepts 30 February as
 * 1 March.
 */
export function parseDay(text: string): number | undefined {
  if (!DAY_TEXT.test(text)) return undefined;
  const midnight = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().slice(0, 10) === text ? midnight : undefined;
}

/**
 * Parses `2024-01-31`, `2024-01-31T06:00` or `2024-01-31T06:00:00.5+01:00`, with a space or a `T`.
 * @param zone the IANA zone to use if the text has no offset
 * @returns undefined for anything else, and for days and times that do not exist
 */
export function parseMoment(text: string, zone: string): Moment | undefined {
  const [, day = '', hour, minute = '0', second = '0', fraction = '', offset] = MOMENT.exec(text) ?? [];
  const midnight = parseDay(day);
  if (midnight === undefined || Number(hour ?? 0) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const wall =
    midnight + ((Number(hour ?? 0) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
  const found = { isDay: hour === undefined, hasOffset: offset !== undefined };
  if (offset === undefined) return { instant: instantAt(wall, zone), ...found };
  const ahead = offsetMs(offset);
  return ahead === undefined ? undefined : { instant: wall - ahead, ...found };
}

/** The instant at which the wall time in `zone` is `wall`: the first of two, or shifted forward if clocks skip it. */
export function instantAt(wall: number, zone: string): number {
  return instantsOf(wall, zone)[0] ?? shiftedInstant(wall, zone);
}

function offsetMs(text: string): number | undefined {
  if (text === 'Z') return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  return hours > 18 || minutes > 59 ? undefined : (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
