import type { SqlClient } from '../../../lib/databases/postgres.ts';
import type { FoundTable } from './find-table.ts';
import { quoteTable } from './identifiers.ts';

/** The events of a trigger or rule. */
export type Event = 'INSERT' | 'UPDATE' | 'DELETE';

/** A trigger or rule on the table, or on a partition of it. */
export interface Reaction {
  readonly kind: 'trigger' | 'rule';
  readonly name: string;
  readonly events: readonly Event[];
  /** A trigger that can drop a row, change it, or write it elsewhere. */
  readonly isBeforeRow: boolean;
}

/** A foreign key whose deletes change the referencing table. */
export interface Cascade {
  readonly constraint: string;
  /** `schema.table` */
  readonly from: string;
  readonly action: 'CASCADE' | 'SET NULL' | 'SET DEFAULT';
}

/** The side effects of a PostgreSQL table when its rows change. */
export interface TableReactions {
  readonly reactions: readonly Reaction[];
  readonly cascades: readonly Cascade[];
  /** Tables that inherit from it, whose rows count as its own. Partitions are not included. */
  readonly heirs: readonly string[];
  /** Whether row-level security hides rows from this user. */
  readonly hidesRows: boolean;
}

/** The table and all its partitions. */
const TREE = 'WITH tree AS (SELECT $1::regclass::oid AS id UNION SELECT relid::oid FROM pg_partition_tree($1::regclass))';

/** Reads the reactions from PostgreSQL's catalog. The result is valid while the table is locked. */
export async function reactionsOf(client: SqlClient, target: FoundTable): Promise<TableReactions> {
  const values = [quoteTable(target)];
  const reactions = await client.query<Reaction>(
    `${TREE}
     SELECT DISTINCT 'trigger' AS kind, tgname::text AS name, tgtype::int & 3 = 3 AS "isBeforeRow",
       array_remove(ARRAY[CASE WHEN tgtype::int & 4 > 0 THEN 'INSERT' END, CASE WHEN tgtype::int & 16 > 0 THEN 'UPDATE' END,
         CASE WHEN tgtype::int & 8 > 0 THEN 'DELETE' END], NULL) AS events
     FROM pg_trigger WHERE tgrelid IN (SELECT id FROM tree) AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype::int & 28 > 0
     UNION
     SELECT 'rule', rulename::text, false, ARRAY[CASE ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' ELSE 'DELETE' END]
     FROM pg_rewrite WHERE ev_class IN (SELECT id FROM tree) AND ev_enabled IN ('O', 'A') AND ev_type IN ('2', '3', '4')
     ORDER BY kind DESC, name`,
    values,
  );
  const cascades = await client.query<Cascade>(
    `${TREE}
     SELECT DISTINCT conname::text AS constraint, conrelid::regclass::text AS from,
       CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END AS action
     FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND confdeltype IN ('c', 'n', 'd')
       AND confrelid IN (SELECT id FROM tree) AND conrelid NOT IN (SELECT id FROM tree)
     ORDER BY 2, 1`,
    values,
  );
  const rest = await client.query<Pick<TableReactions, 'heirs' | 'hidesRows'>>(
    `SELECT ARRAY(SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhparent
       WHERE inhparent = $1::regclass AND c.relkind = 'r' ORDER BY 1) AS heirs, row_security_active($1::regclass) AS "hidesRows"`,
    values,
  );
  return {
    reactions: reactions.rows,
    cascades: cascades.rows,
    heirs: rest.rows[0]?.heirs ?? [],
    hidesRows: rest.rows[0]?.hidesRows ?? false,
  };
}

/** For messages: `trigger 'soft' (before DELETE)`. */
export function nameReaction({ kind, name, events, isBeforeRow }: Reaction): string {
  return `${kind} '${name}' (${kind === 'trigger' ? `${isBeforeRow ? 'BEFORE' : 'on'} ` : 'on '}${events.join(' OR ')})`;
}
