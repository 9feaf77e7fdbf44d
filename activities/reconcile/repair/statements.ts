import { quoteIdentifier, quoteLiteral } from '../../support/sql/identifiers.ts';
import type { Row } from '../rows/comparison.ts';

/** A statement binds 32,767 values at most on Redshift, 65,535 on PostgreSQL. */
const VALUES_AT_ONCE = 30_000;

/** Rows as something to select from, all values text; without VALUES, which Redshift lacks there. */
export function givenRows(rows: readonly Row[]): { readonly sql: string; readonly values: readonly (string | null)[] } {
  const selects = rows.map((row, at) => `SELECT ${row.map((_, index) => `$${at * row.length + index + 1}::text AS c${index}`).join(', ')}`);
  return { sql: `(${selects.join(' UNION ALL ')}) AS given`, values: rows.flat() };
}

/** Rows of `width` values, as many as one statement takes. */
export function* batchesOf<T>(rows: readonly T[], width: number): Generator<readonly T[]> {
  // A statement of many thousand SELECTs takes the server longer to read than to carry out.
  const size = Math.min(500, Math.floor(VALUES_AT_ONCE / width));
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

export function listOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

export function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : quoteLiteral(value);
}
