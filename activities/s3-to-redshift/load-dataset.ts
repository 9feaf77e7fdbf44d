import type { AwsConnection, PostgresConnection, RedshiftConnection } from '../../lib/connections.ts';
import type { DatasetManifest } from '../../workflows/plan/dataset.ts';
import type { TaskContext } from '../define-task.ts';
import type { Storage } from '../dataset/storage.ts';
import { userFault } from '../errors.ts';
import { type Database, fixFormats } from '../sql/database.ts';
import { columnsOf, findTable, type FoundTable } from '../sql/find-table.ts';
import { formatTable, quoteIdentifier } from '../sql/identifiers.ts';
import { chooseColumns } from './choose-columns.ts';
import { beginLedger, findLoad, refuseSecondAppend, writeLoad } from './ledger.ts';
import { type LoadMethod, merge } from './merge.ts';
import { stageFromPostgres } from './stage-postgres.ts';
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

/**
 * Loads in one transaction: staging table, merge, ledger row. Whatever breaks in the middle leaves the table as it was; an attempt that
 * comes after one whose answer was lost finds the ledger row and does nothing.
 */
export async function loadDataset(load: Load): Promise<{ rows: number; already_loaded: boolean }> {
  const { database, warehouse, manifest, method, upsertKeys } = load;
  const { client } = database;
  if (warehouse.type === 'postgres') await fixFormats(client);
  const target = await findTarget(load);
  const columns = chooseColumns(target, await columnsOf(client, target), manifest.schema, load.columns, upsertKeys);
  await beginLedger(client, target.schema);
  await client.query('BEGIN');
  try {
    // Two loads of one table go one after the other. On PostgreSQL readers go on reading; Redshift has one kind of lock.
    const lock = warehouse.type === 'postgres' ? ' IN SHARE ROW EXCLUSIVE MODE' : '';
    await client.query(`LOCK TABLE ${quoted(target)}${lock}`);
    const earlier = await findLoad(load, target);
    if (earlier) {
      await client.query('ROLLBACK');
      return { rows: earlier.rows, already_loaded: true };
    }
    if (method === 'append') await refuseSecondAppend(load, target);
    const list = columns.map((column) => quoteIdentifier(column)).join(', ');
    await client.query(`CREATE TEMPORARY TABLE ${STAGING} AS SELECT ${list} FROM ${quoted(target)} WHERE false`);
    await (warehouse.type === 'postgres' ? stageFromPostgres(load, columns) : stageFromRedshift(load, warehouse, columns));
    await merge({ client, target, columns, method, upsertKeys });
    await writeLoad(load, target, manifest.rows);
    await client.query('COMMIT');
    return { rows: manifest.rows, already_loaded: false };
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

function quoted({ schema, table }: FoundTable): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
