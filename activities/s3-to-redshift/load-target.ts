import type { SqlClient } from '../../lib/databases/postgres.ts';
import type { FoundTable } from '../support/sql/find-table.ts';
import { quoteTable } from '../support/sql/identifiers.ts';
import { reactionsOf, type TableReactions } from '../support/sql/table-reactions.ts';

/** The table to load, in its state under the lock. */
export interface LoadTarget extends FoundTable {
  readonly server: 'postgres' | 'redshift';
  /** As SQL. */
  readonly sql: string;
  /** As SQL, without inheriting tables. */
  readonly own: string;
  readonly reactions: TableReactions;
  /** Whether the row counts of the load's statements are not sufficient. */
  readonly isWatched: boolean;
}

/** Redshift has no triggers, rules or inheritance, and does not enforce foreign keys. */
const NONE: TableReactions = { reactions: [], cascades: [], heirs: [], hidesRows: false };

/** Looks up triggers, rules and other reactions of the table. Lock the table first. */
export async function loadTarget(client: SqlClient, found: FoundTable, server: LoadTarget['server']): Promise<LoadTarget> {
  const sql = quoteTable(found);
  const reactions = server === 'postgres' ? await reactionsOf(client, found) : NONE;
  const own = server === 'postgres' && found.kind === 'r' ? `ONLY ${sql}` : sql;
  // Counting is cheap on Redshift: it does not read the rows.
  return { ...found, server, sql, own, reactions, isWatched: server === 'redshift' || reactions.reactions.length > 0 };
}
