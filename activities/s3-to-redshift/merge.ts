import type { SqlClient } from '../../lib/postgres.ts';
import { userFault } from '../errors.ts';
import { type FoundTable, quoteList } from '../sql/find-table.ts';
import { quoteIdentifier, quoteTable } from '../sql/identifiers.ts';
import type { LoadMethod } from './load-methods.ts';
import { STAGING } from './staging-table.ts';

/** Rows of the table that a merge has touched, as the server counts them. */
export interface MergeCounts {
  readonly inserted?: number;
  readonly updated?: number;
  readonly deleted?: number;
}

/** The columns of the merge, and how. */
export interface Merge {
  readonly client: SqlClient;
  readonly target: FoundTable;
  readonly columns: readonly string[];
  readonly method: LoadMethod;
  readonly upsertKeys: readonly string[];
  /** Brings the rows straight into the table, and counts them; undefined: they are staged. */
  readonly copy: (() => Promise<number>) | undefined;
}

/**
 * Brings the rows into the table, in words that Redshift and PostgreSQL both know: Redshift has no ON CONFLICT, and its TRUNCATE would
 * commit. DELETE lets readers see the old rows until the commit.
 */
export async function merge({ client, target, columns, method, upsertKeys, copy }: Merge): Promise<MergeCounts> {
  const table = quoteTable(target);
  const insert = `INSERT INTO ${table} (${quoteList(columns)}) SELECT ${quoteList(columns, 's.')} FROM ${STAGING} AS s`;
  const run = async (sql: string): Promise<number> => (await client.query(sql)).rowCount ?? 0;
  const fill = copy ?? (() => run(insert));
  if (method === 'append') return { inserted: await fill() };
  if (method === 'replace') return { deleted: await run(`DELETE FROM ${table}`), inserted: await fill() };
  await refuseUnclearKeys(client, upsertKeys);
  const same = upsertKeys.map((key) => `t.${quoteIdentifier(key)} = s.${quoteIdentifier(key)}`).join(' AND ');
  const rest = columns.filter((column) => !upsertKeys.includes(column));
  let updated = 0;
  if (rest.length > 0) {
    const set = rest.map((column) => `${quoteIdentifier(column)} = s.${quoteIdentifier(column)}`).join(', ');
    updated = await run(`UPDATE ${table} AS t SET ${set} FROM ${STAGING} AS s WHERE ${same}`);
  }
  return { updated, inserted: await run(`${insert} WHERE NOT EXISTS (SELECT 1 FROM ${table} AS t WHERE ${same})`) };
}

async function refuseUnclearKeys(client: SqlClient, keys: readonly string[]): Promise<void> {
  const list = quoteList(keys);
  const isNull = keys.map((key) => `${quoteIdentifier(key)} IS NULL`).join(' OR ');
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT ${list}, count(*) AS sluice_count FROM ${STAGING} GROUP BY ${list} HAVING count(*) > 1 OR ${isNull} LIMIT 1`,
  );
  const [unclear] = rows;
  if (!unclear) return;
  const values = keys.map((key) => `${key} = ${String(unclear[key] ?? 'NULL')}`).join(', ');
  throw userFault(
    'DataDoesNotFit',
    `The data has ${String(unclear.sluice_count)} row${unclear.sluice_count === '1' ? '' : 's'} with ${values}; upsert needs one row a key, and no NULL in it. Choose other upsert_keys, or clean the data in the task before.`,
  );
}
