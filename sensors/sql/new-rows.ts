import { createHash } from 'node:crypto';
import type { JsonObject } from '../../workflows/plan/values/json.ts';

/** A row as read from the database. */
export interface ReadRow {
  /** The value of its cursor column, as text. */
  readonly cursor: string;
  /** Whether the cursor column is a time in the future, by the server's clock. */
  readonly isAhead: boolean;
  /** The values of the `key` columns, as text; absent if the trigger has no `key`. */
  readonly key?: string;
  readonly row: JsonObject;
}

/** A row with an id that is unique for its cursor value. */
export interface IdentifiedRow extends ReadRow {
  readonly id: string;
}

/** Whether rows with one cursor value can be written at different times: only a transaction's rows share a microsecond timestamp (fine). */
export type CursorGrain = 'fine' | 'coarse' | 'unknown';

/** Length of a row's hash, in characters. */
const HASH_LENGTH = 12;

/** Assigns ids to the rows of one cursor value. Without a key, equal rows are numbered; with a key, they are the same row. */
export function identify(rows: readonly ReadRow[]): IdentifiedRow[] {
  const counts = new Map<string, number>();
  return rows.flatMap((each) => {
    const hash = createHash('sha256')
      .update(each.key ?? JSON.stringify(each.row))
      .digest('hex')
      .slice(0, HASH_LENGTH);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    if (each.key !== undefined && count > 1) return [];
    return { ...each, id: count === 1 ? hash : `${hash}-${count}` };
  });
}

/**
 * Finds the new rows of one cursor value.
 * @param known ids of the earlier rows; undefined if there were none
 * @param grainOf called only if needed
 * @returns undefined if it is ambiguous: rows are gone or changed, and others have appeared
 */
export async function newRows(
  rows: readonly IdentifiedRow[],
  known: ReadonlySet<string> | undefined,
  grainOf: () => Promise<CursorGrain>,
): Promise<readonly IdentifiedRow[] | undefined> {
  if (!known) return rows;
  const unknown = rows.filter(({ id }) => !known.has(id));
  if (unknown.length === 0 || unknown.some(({ key }) => key !== undefined)) return unknown;
  const gone = known.size - (rows.length - unknown.length);
  if (gone === 0) return unknown;
  const grain = await grainOf();
  const isAlone = known.size === 1 && rows.length === 1;
  const isChange = unknown.length <= gone && (grain === 'fine' || (grain === 'unknown' && isAlone));
  return isChange ? [] : undefined;
}
