import { quoteIdentifier } from '../support/sql/identifiers.ts';
import { canonicalText, type ColumnPair, type Expressions, hashesAlike } from './canonical.ts';
import type { Dialect } from './dialects/dialect.ts';
import type { Side } from './side.ts';

export interface Sides {
  readonly source: Side;
  readonly target: Side;
}

export type SideName = keyof Sides;
export const SIDES: readonly SideName[] = ['source', 'target'];

/** SQL over the rows of both sides: equal values give equal results on both. */
export interface RowExpressions {
  /** Texts, NULL for NULL: first the key columns, then the others. */
  readonly texts: readonly Expressions[];
  /** A whole number that differs for rows with different values, to be summed for a checksum. */
  readonly hash: Expressions;
  /** A number from 0 to `buckets` - 1, derived from the key alone. */
  bucket(buckets: number): Expressions;
}

/** The first PostgreSQL version with `hash_record_extended`. */
const HASHES_RECORDS = 140_000;

/**
 * The expressions to compare `keys` and `columns`. Two PostgreSQL servers that hash alike use PostgreSQL's own hash of the stored values;
 * others convert values to text and use MD5, which is several times slower.
 */
export async function rowExpressions(sides: Sides, keys: readonly ColumnPair[], columns: readonly ColumnPair[]): Promise<RowExpressions> {
  const dialects = { source: sides.source.dialect, target: sides.target.dialect };
  const all = [...keys, ...columns];
  const texts = all.map((pair) => canonicalText(pair, dialects));
  if (all.every(hashesAlike) && (await serversHashAlike(sides))) {
    const record = (pairs: readonly ColumnPair[]): string =>
      `hash_record_extended(ROW(${pairs.map(({ name }) => quoteIdentifier(name)).join(', ')}), 0)`;
    return {
      texts,
      hash: both(() => record(all)),
      bucket: (buckets) => both(() => `(${record(keys)} & ${buckets - 1})`),
    };
  }
  // Both sides must agree on whether the texts of a column may contain any character.
  const open = all.map(({ source, target }) => [source, target].some(({ family }) => ['text', 'other'].includes(family)));
  const md5 = (side: SideName, count: number, digits: number): string => {
    const marked = texts.slice(0, count).map((text, index) => unambiguous(text[side], open[index] ?? true, dialects[side]));
    return dialects[side].md5(marked.length === 0 ? "''" : dialects[side].concat(marked), digits);
  };
  return {
    texts,
    hash: both((side) => md5(side, all.length, 15)),
    bucket: (buckets) => both((side) => `(${md5(side, keys.length, 7)} % ${buckets})`),
  };
}

/** Adds a delimiter that no number or time contains; free text is prefixed with its length instead. NULL has its own marker. */
function unambiguous(text: string, open: boolean, { concat, size }: Dialect): string {
  return open ? `coalesce(${concat([size(text), "':'", text])}, '-')` : concat([`coalesce(${text}, '-')`, "','"]);
}

/** A row with every kind of value: servers with another release, byte order or encoding return another hash. */
const PROBE = `hash_record_extended(ROW(1::int, 2::bigint, 1.50::numeric, 'Zoë'::text, 'x'::char(3), true, date '2024-02-29',
  timestamp '2024-02-29 12:00:00.5', timestamptz '2024-02-29 12:00:00.5+00', 0.1::float8, 0.1::float4,
  '00000000-0000-4000-8000-000000000000'::uuid, '\\x00ff'::bytea, NULL::text), 0)::text`;

async function serversHashAlike({ source, target }: Sides): Promise<boolean> {
  if (source.postgresVersion < HASHES_RECORDS || target.postgresVersion < HASHES_RECORDS) return false;
  const [[one], [other]] = await Promise.all([source.texts(`SELECT ${PROBE}`), target.texts(`SELECT ${PROBE}`)]);
  return one?.[0] !== undefined && one[0] === other?.[0];
}

function both(expression: (side: SideName) => string): Expressions {
  return { source: expression('source'), target: expression('target') };
}
