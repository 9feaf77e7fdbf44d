import { createHash } from 'node:crypto';
import type { JsonObject } from '../../workflows/plan/values/json.ts';

/** A row as it was read. */
export interface ReadRow {
  /** The value of its cursor column, as text. */
  readonly cursor: string;
  /** Whether the cursor column is a time that has not come yet, by the server's clock. */
  readonly isAhead: boolean;
  /** The values of the columns that `key` names, as text; absent where the trigger has no `key`. */
  readonly key?: string;
  readonly row: JsonObject;
}

/** A row with what tells it from all others of the same cursor value. */
export interface IdentifiedRow extends ReadRow {
  readonly id: string;
}

/** How far two rows of one cursor value can have come apart: a timestamp of microseconds is shared by the rows of one transaction only. */
export type CursorGrain = 'fine' | 'coarse' | 'unknown';

/** How many characters of a hash stand for a row. */
const HASH_LENGTH = 12;

/** Gives the rows of one cursor value their identities. Without a key equal rows are numbered; with one they are the same row. */
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
 * Which rows of one cursor value are new.
 * @param known the ids of those that were there before; undefined when there were none
 * @param grainOf asked only where it matters
 * @returns undefined when it cannot be told: rows have gone or changed, and others are there
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
