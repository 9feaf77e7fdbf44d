import { quoteIdentifier, quoteLiteral } from '../../support/sql/identifiers.ts';
import type { Row } from '../rows/comparison.ts';

/** A statement can bind at most 32,767 values on Redshift and 65,535 on PostgreSQL. */
const VALUES_AT_ONCE = 30_000;

/** Rows as a subquery with all values as text; without VALUES, which Redshift does not support there. */
export function givenRows(rows: readonly Row[]): { readonly sql: string; readonly values: readonly (string | null)[] } {
  const selects = rows.map((row, at) => `SELECT ${row.map((_, index) => `$${at * row.length + index + 1}::text AS c${index}`).join(', ')}`);
  return { sql: `(${selects.join(' UNION ALL ')}) AS given`, values: rows.flat() };
}

/** Batches of rows with `width` values, each as large as one statement allows. */
export function* batchesOf<T>(rows: readonly T[], width: number): Generator<readonly T[]> {
  // The server parses thousands of SELECTs in one statement more slowly than it executes them.
  const size = Math.min(500, Math.floor(VALUES_AT_ONCE / width));
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

export function listOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

export function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : quoteLiteral(value);
}
