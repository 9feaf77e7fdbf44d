import type { SqlClient } from '../../lib/databases/postgres.ts';
import type { FoundTable } from '../support/sql/find-table.ts';
import { quoteTable } from '../support/sql/identifiers.ts';
import { reactionsOf, type TableReactions } from '../support/sql/table-reactions.ts';

/** The table that is loaded, as it is while it is locked. */
export interface LoadTarget extends FoundTable {
  readonly server: 'postgres' | 'redshift';
  /** As SQL. */
  readonly sql: string;
  /** As SQL: without the tables that inherit from it. */
  readonly own: string;
  readonly reactions: TableReactions;
  /** Whether rows may come and go by more than the statements of the load. */
  readonly isWatched: boolean;
}

/** Redshift has no triggers, rules or inheritance, and does not enforce foreign keys. */
const NONE: TableReactions = { reactions: [], cascades: [], heirs: [], hidesRows: false };

/** Looks up what the table does by itself. Lock it first. */
export async function loadTarget(client: SqlClient, found: FoundTable, server: LoadTarget['server']): Promise<LoadTarget> {
  const sql = quoteTable(found);
  const reactions = server === 'postgres' ? await reactionsOf(client, found) : NONE;
  const own = server === 'postgres' && found.kind === 'r' ? `ONLY ${sql}` : sql;
  // Redshift counts without reading.
  return { ...found, server, sql, own, reactions, isWatched: server === 'redshift' || reactions.reactions.length > 0 };
}
