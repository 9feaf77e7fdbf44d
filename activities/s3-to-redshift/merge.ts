import type { SqlClient } from '../../lib/databases/postgres.ts';
import { userFault } from '../run/errors.ts';
import { quoteList } from '../support/sql/find-table.ts';
import { quoteIdentifier } from '../support/sql/identifiers.ts';
import type { LoadMethod } from './load-methods.ts';
import type { LoadTarget } from './load-target.ts';

/** Rows of the table changed by a merge, as the server counts them. */
export interface MergeCounts {
  readonly inserted?: number;
  /** Absent if the data has no columns to update. */
  readonly updated?: number;
  readonly deleted?: number;
}

/** The columns of a merge, and its method. */
export interface Merge {
  readonly client: SqlClient;
  readonly target: LoadTarget;
  /** The columns to write. */
  readonly columns: readonly string[];
  readonly method: LoadMethod;
  readonly upsertKeys: readonly string[];
  /** The staging table, as SQL; or a function that copies the rows directly into the table and counts them. */
  readonly rows: string | (() => Promise<number>);
}

/**
 * Brings the rows into the table, in SQL that both Redshift and PostgreSQL support: Redshift has no ON CONFLICT, and its TRUNCATE commits.
 * With DELETE, readers see the old rows until the commit.
 */
export async function merge({ client, target, columns, method, upsertKeys, rows }: Merge): Promise<MergeCounts> {
  const run = async (sql: string): Promise<number> => (await client.query(sql)).rowCount ?? 0;
  if (typeof rows !== 'string') {
    const deleted = method === 'replace' ? { deleted: await run(`DELETE FROM ${target.sql}`) } : {};
    return { ...deleted, inserted: await rows() };
  }
  // Identity columns get the data's values.
  const overriding = target.server === 'postgres' ? ' OVERRIDING SYSTEM VALUE' : '';
  const insert = `INSERT INTO ${target.sql} (${quoteList(columns)})${overriding} SELECT ${quoteList(columns, 's.')} FROM ${rows} AS s`;
  if (method === 'append') return { inserted: await run(insert) };
  if (method === 'replace') return { deleted: await run(`DELETE FROM ${target.sql}`), inserted: await run(insert) };
  await refuseUnclearKeys(client, rows, upsertKeys, method);
  // An upsert also finds its rows in inheriting tables; a merge does not touch those.
  const table = method === 'merge' ? target.own : target.sql;
  const same = sameKeys(upsertKeys);
  let gone = {};
  if (method === 'merge') {
    // Redshift's DELETE does not support an alias, so the staging alias must be a name that no table has.
    const kept = upsertKeys.map(
      (key) => `sluice_staged.${quoteIdentifier(key)} = ${quoteIdentifier(target.table)}.${quoteIdentifier(key)}`,
    );
    const staged = `SELECT ${quoteList(upsertKeys)} FROM ${rows}`;
    gone = {
      deleted: await run(`DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM (${staged}) AS sluice_staged WHERE ${kept.join(' AND ')})`),
    };
  }
  const rest = columns.filter((column) => !upsertKeys.includes(column));
  let updated = {};
  if (rest.length > 0) {
    const set = rest.map((column) => `${quoteIdentifier(column)} = s.${quoteIdentifier(column)}`).join(', ');
    updated = { updated: await run(`UPDATE ${table} AS t SET ${set} FROM ${rows} AS s WHERE ${same}`) };
  }
  return { ...gone, ...updated, inserted: await run(`${insert} WHERE NOT EXISTS (SELECT 1 FROM ${table} AS t WHERE ${same})`) };
}

/** Number of rows of the data that the table lacks. */
export async function countMissing(client: SqlClient, target: LoadTarget, staging: string, keys: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) AS count FROM ${staging} AS s WHERE NOT EXISTS (SELECT 1 FROM ${target.sql} AS t WHERE ${sameKeys(keys)})`,
  );
  return Number(rows[0]?.count);
}

function sameKeys(keys: readonly string[]): string {
  return keys.map((key) => `t.${quoteIdentifier(key)} = s.${quoteIdentifier(key)}`).join(' AND ');
}

async function refuseUnclearKeys(client: SqlClient, staging: string, keys: readonly string[], method: LoadMethod): Promise<void> {
  const list = quoteList(keys);
  const isNull = keys.map((key) => `${quoteIdentifier(key)} IS NULL`).join(' OR ');
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT ${list}, count(*) AS sluice_count FROM ${staging} GROUP BY ${list} HAVING count(*) > 1 OR ${isNull} LIMIT 1`,
  );
  const [unclear] = rows;
  if (!unclear) return;
  const values = keys.map((key) => `${key} = ${String(unclear[key] ?? 'NULL')}`).join(', ');
  throw userFault(
    'DataDoesNotFit',
    `The data has ${String(unclear.sluice_count)} row${unclear.sluice_count === '1' ? '' : 's'} with ${values}; ${method} needs one row a key, and no NULL in it. Choose other upsert_keys, or clean the data in the task before.`,
  );
}
