import type { AwsConnection, PostgresConnection, RedshiftConnection } from '../../lib/connections.ts';
import type { DatasetManifest } from '../../workflows/plan/dataset.ts';
import type { TaskContext } from '../define-task.ts';
import type { Storage } from '../dataset/storage.ts';
import { userFault } from '../errors.ts';
import { type Database, fixFormats } from '../sql/database.ts';
import { columnsOf, findTable, type FoundTable, quoteList } from '../sql/find-table.ts';
import { formatTable, quoteIdentifier, quoteTable } from '../sql/identifiers.ts';
import { chooseColumns } from './choose-columns.ts';
import { copyIntoPostgres } from './copy-into-postgres.ts';
import { beginLedger, findLoad, ledger, refuseSecondAppend, writeLoad } from './ledger.ts';
import type { LoadMethod } from './load-methods.ts';
import { merge, type MergeCounts } from './merge.ts';
import { STAGING } from './staging-table.ts';
import { stageFromRedshift } from './stage-redshift.ts';

/** One load: where from, where to, and how. */
export interface Load {
  readonly ctx: Pick<TaskContext, 'pipelineRunId' | 'dagId' | 'task' | 'interval' | 'signal' | 'progress'>;
  readonly database: Database;
  readonly warehouse: PostgresConnection | RedshiftConnection;
  readonly storage: Storage;
  readonly aws: AwsConnection;
  readonly manifest: DatasetManifest;
  readonly manifestUri: string;
  readonly table: { readonly schema: string; readonly table: string };
  readonly columns: readonly string[] | undefined;
  readonly method: LoadMethod;
  readonly upsertKeys: readonly string[];
  readonly copyOptions: readonly string[];
}

/** What a load has done. */
export interface Loaded extends MergeCounts {
  readonly rows: number;
  readonly already_loaded: boolean;
}

/**
 * Loads all or nothing: one transaction brings the data into the table and writes the ledger row. Whatever breaks in the middle leaves the
 * table as it was; an attempt that comes after one whose answer was lost finds the ledger row and does nothing.
 *
 * What has to be looked at before it may enter the table is first staged in one that only this session sees: rows for an upsert, and
 * everything on Redshift, where COPY checks nothing against the manifest. PostgreSQL otherwise takes the rows as they come, twice as fast.
 *
 * Staging stands before the transaction because of the lock: nobody waits while S3 is read, and on Redshift that would be readers too. The
 * lock stands first in it: Redshift takes a transaction's snapshot at its first query, and under a snapshot from before the lock another
 * load would not be seen.
 */
export async function loadDataset(load: Load): Promise<Loaded> {
  const { database, warehouse, manifest, method, upsertKeys } = load;
  const { client } = database;
  const isPostgres = warehouse.type === 'postgres';
  if (isPostgres) await fixFormats(client);
  const target = await findTarget(load);
  const present = await columnsOf(client, target, warehouse.type);
  const columns = chooseColumns(target, present, manifest.schema, load.columns, upsertKeys);
  await beginLedger(client, target.schema);
  // Seen here, it saves reading the data again; what is seen under the lock decides.
  const before = await findLoad(load, target);
  if (before) return { ...before, already_loaded: true };
  const isStaged = !isPostgres || method === 'upsert';
  if (isStaged) {
    await client.query(`CREATE TEMPORARY TABLE ${STAGING} AS SELECT ${quoteList(columns)} FROM ${quoteTable(target)} WHERE false`);
    if (isPostgres) await copyIntoPostgres(load, STAGING, columns, present);
    else await stageFromRedshift(load, warehouse, columns);
  }
  await client.query('BEGIN');
  try {
    // Two loads of one table go one after the other, and readers go on reading. Redshift's only lock would stop them: there the ledger is locked.
    await client.query(isPostgres ? `LOCK TABLE ${quoteTable(target)} IN SHARE ROW EXCLUSIVE MODE` : `LOCK TABLE ${ledger(target.schema)}`);
    const earlier = await findLoad(load, target);
    if (earlier) {
      await client.query('ROLLBACK');
      return { ...earlier, already_loaded: true };
    }
    if (method === 'append') await refuseSecondAppend(load, target);
    const copy = isStaged ? undefined : () => copyIntoPostgres(load, quoteTable(target), columns, present);
    const counts = await merge({ client, target, columns, method, upsertKeys, copy });
    await writeLoad(load, target, manifest.rows);
    await client.query('COMMIT');
    return { rows: manifest.rows, ...counts, already_loaded: false };
  } catch (error) {
    // The session may be what broke; then the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function findTarget({ database, table, manifest }: Load): Promise<FoundTable> {
  const target = await findTable(database, table, () => {
    if (manifest.schema.length === 0) return '';
    const columns = manifest.schema.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    return ` To create it: CREATE TABLE ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.table)} (${columns});`;
  });
  if (target.kind !== 'r' && target.kind !== 'p') {
    throw userFault(
      'TableNotFound',
      `'${formatTable(table)}' at ${database.server} is no table that can be loaded, but a view or foreign table.`,
    );
  }
  return target;
}
