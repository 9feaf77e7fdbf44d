import type { SqlClient } from '../../../lib/databases/postgres.ts';
import { quoteIdentifier } from './identifiers.ts';

interface OwnedSequence {
  readonly column: string;
  /** The sequence, as SQL. */
  readonly sequence: string;
  readonly isAscending: boolean;
  /** The sequence's last value. */
  readonly end: string;
  readonly isAllowed: boolean;
}

/**
 * Moves the sequences of identity and serial columns past the loaded values, so that later rows get unused numbers. A sequence never moves
 * back. PostgreSQL only.
 * @param table as SQL
 * @returns sequences that this user may not move, as SQL
 */
export async function followSequences(client: SqlClient, table: string, columns: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<OwnedSequence>(
    `SELECT a.attname AS column, s.seqrelid::regclass::text AS sequence, s.seqincrement > 0 AS "isAscending",
       CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END::text AS end,
       has_sequence_privilege(s.seqrelid, 'SELECT') AND has_sequence_privilege(s.seqrelid, 'UPDATE') AS "isAllowed"
     FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
       AND d.refobjid = $1::regclass AND a.attname = ANY($2) AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)`,
    [table, columns],
  );
  for (const { column, sequence, isAscending, end } of rows.filter(({ isAllowed }) => isAllowed)) {
    const [furthest, nearer, later] = isAscending ? ['max', 'least', '>'] : ['min', 'greatest', '<'];
    await client.query(
      `SELECT setval($1::regclass, furthest)
       FROM (SELECT ${nearer}(${furthest}(${quoteIdentifier(column)}), ${end}) AS furthest FROM ${table}) AS loaded, ${sequence} AS own
       WHERE furthest ${later} own.last_value OR (furthest = own.last_value AND NOT own.is_called)`,
      [sequence],
    );
  }
  return rows.filter(({ isAllowed }) => !isAllowed).map(({ sequence }) => sequence);
}
