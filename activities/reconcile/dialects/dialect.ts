import type { ComparedColumn } from '../column-family.ts';
import type { Normalization } from '../normalization.ts';

/**
 * The SQL of one kind of side. All dialects must convert the same value to the same text, and NULL to NULL. A value that the other side
 * cannot represent gets a text of its own, so that it is a difference and never a silent match.
 */
export interface Dialect {
  /** For messages: `PostgreSQL`. */
  readonly name: string;
  identifier(name: string): string;
  /** A text literal, compared byte by byte with the texts below. */
  literal(text: string): string;
  /** A time literal, given as ISO 8601 in UTC, for comparison with columns of dates and times. */
  instant(iso: string): string;

  /** `0` and `1` for a boolean or a number; other numbers unchanged. */
  boolean(column: ComparedColumn): string;
  /** A number, or the shortest decimal of a float, rounded half away from zero to `scale` digits after the decimal point. */
  number(column: ComparedColumn, scale: number): string;
  /** `2024-02-29`, for a date or a time without a zone. */
  date(column: ComparedColumn): string;
  /**
   * `2024-02-29 12:00:00.500000`, in UTC for a time with a zone or a declared zone.
   * @param alike whether the other side has the same dialect: then any format will do
   */
  time(column: ComparedColumn, declared: Pick<Normalization, 'timezone' | 'precision'>, alike: boolean): string;
  /** A text without the padding of its type. @throws ApplicationFailure InvalidParameters for what the server cannot do */
  text(column: ComparedColumn, declared: Normalization): string;
  /** Lower-case hexadecimal. */
  bytes(column: ComparedColumn): string;
  /** The text of a value of any type, equal on two sides of this dialect; undefined if servers may write it differently. */
  readonly exact: ((column: ComparedColumn) => string) | undefined;
  /** A value in a format that PostgreSQL accepts as input. */
  given(column: ComparedColumn): string;
  /** The operand of `sum`, `min` and `max`: texts are ordered by bytes. @throws ApplicationFailure InvalidParameters if it has none */
  ordered(column: ComparedColumn): string;

  concat(texts: readonly string[]): string;
  /** The length of a text in bytes of UTF-8, as text. */
  size(text: string): string;
  /** The first `digits` hexadecimal digits of a text's MD5, as a whole number. */
  md5(text: string, digits: number): string;
  /**
   * The index of the segment that contains a key, counted from 0: a whole number.
   * @param wide whether bounds or differences may exceed 8-byte integers
   */
  segment(key: string, from: bigint, width: bigint, wide: boolean): string;
}

/** A time with all parts zero: fills the parts that are cut off. */
const NOTHING = '0000-00-00 00:00:00.000000';
const KEPT = { day: 10, hour: 13, minute: 16, second: 19, millisecond: 23 } as const;

/** How many characters of `2024-02-29 12:00:00.500000` are kept, and what follows them. */
export function cutTo(precision: NonNullable<Normalization['precision']>): { readonly kept: number; readonly rest: string } {
  const kept = KEPT[precision];
  return { kept, rest: NOTHING.slice(kept) };
}
