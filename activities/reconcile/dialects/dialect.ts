import type { ComparedColumn } from '../column-family.ts';
import type { Normalization } from '../normalization.ts';

/**
 * The SQL of one kind of side. Whatever makes a text of a value must make the same one as the other dialects do, of the same value, and NULL
 * of NULL; a value that others cannot hold becomes a text of its own, so that it is a difference and never a silent match.
 */
export interface Dialect {
  /** For messages: `PostgreSQL`. */
  readonly name: string;
  identifier(name: string): string;
  /** A text, compared byte by byte with the texts below. */
  literal(text: string): string;
  /** A time, given as ISO 8601 in UTC, to be compared with columns of dates and times. */
  instant(iso: string): string;

  /** `0` and `1`, of a boolean or a number; other numbers as they are. */
  boolean(column: ComparedColumn): string;
  /** A number, or a float as the shortest decimal that stands for it, rounded half away from zero to `scale` digits after the point. */
  number(column: ComparedColumn, scale: number): string;
  /** `2024-02-29`, of a date or a time without a zone. */
  date(column: ComparedColumn): string;
  /**
   * `2024-02-29 12:00:00.500000`, in UTC for a time with a zone or one whose zone is declared.
   * @param alike whether the other side is of this dialect too: then any form will do
   */
  time(column: ComparedColumn, declared: Pick<Normalization, 'timezone' | 'precision'>, alike: boolean): string;
  /** A text without the padding that its type adds. @throws ApplicationFailure InvalidParameters for what the server cannot do */
  text(column: ComparedColumn, declared: Normalization): string;
  /** Lower-case hexadecimal. */
  bytes(column: ComparedColumn): string;
  /** A text of a value of any type, which two sides of this dialect write alike; undefined where servers may not. */
  readonly exact: ((column: ComparedColumn) => string) | undefined;
  /** A value as PostgreSQL takes it. */
  given(column: ComparedColumn): string;
  /** What `sum`, `min` and `max` are taken of: texts go by their bytes. @throws ApplicationFailure InvalidParameters where they cannot be */
  ordered(column: ComparedColumn): string;

  concat(texts: readonly string[]): string;
  /** The length of a text in bytes of UTF-8, as a text. */
  size(text: string): string;
  /** The first hexadecimal digits of a text's MD5 as a whole number. */
  md5(text: string, digits: number): string;
  /**
   * Which segment of a range a key lies in, counted from 0: a whole number.
   * @param wide whether ends or differences may be beyond the numbers of eight bytes
   */
  segment(key: string, from: bigint, width: bigint, wide: boolean): string;
}

/** A time whose parts are all zero: what follows the part that a time is cut down to. */
const NOTHING = '0000-00-00 00:00:00.000000';
const KEPT = { day: 10, hour: 13, minute: 16, second: 19, millisecond: 23 } as const;

/** How many letters of `2024-02-29 12:00:00.500000` are kept, and what comes after them. */
export function cutTo(precision: NonNullable<Normalization['precision']>): { readonly kept: number; readonly rest: string } {
  const kept = KEPT[precision];
  return { kept, rest: NOTHING.slice(kept) };
}
