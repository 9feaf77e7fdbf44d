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

/** SQL over the rows of both sides: the same values give the same result on either. */
export interface RowExpressions {
  /** Text, NULL of NULL: one for each key column, then one for each other. */
  readonly texts: readonly Expressions[];
  /** A whole number that tells rows of different values apart, summed up for a checksum. */
  readonly hash: Expressions;
  /** A number from 0 on below `buckets`, of the key alone. */
  bucket(buckets: number): Expressions;
}

/** PostgreSQL's `hash_record_extended` came with it. */
const HASHES_RECORDS = 140_000;

/**
 * The expressions for comparing `keys` and `columns`. Two PostgreSQL servers that hash alike use PostgreSQL's own hash of values as they are
 * stored; others make texts and take MD5 of them, several times as slow.
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
  // Whether the texts of a column may hold any letter must be answered alike for both sides.
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

/** Ends with a mark that no number and no time holds; texts, which may hold anything, tell their length before. NULL is a mark of its own. */
function unambiguous(text: string, open: boolean, { concat, size }: Dialect): string {
  return open ? `coalesce(${concat([size(text), "':'", text])}, '-')` : concat([`coalesce(${text}, '-')`, "','"]);
}

/** A row of every kind of value: servers of other releases, byte orders or encodings would answer otherwise. */
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
