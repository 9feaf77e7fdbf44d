import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import type { AwsConnection } from '../../../lib/s3.ts';
import { type DuckDB, duckDBError, openDuckDB } from '../../../lib/databases/duckdb.ts';
import { withTemporaryFolder } from '../../../lib/temporary-folder.ts';
import { type DatasetFile, type DatasetManifest, MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import { fetchDataFile } from '../../support/dataset/fetch-data-file.ts';
import { readManifest } from '../../support/dataset/read-manifest.ts';
import { openStorage } from '../../support/dataset/storage.ts';
import { platformFault, userFault } from '../../run/errors.ts';
import { type ComparedColumn, comparedColumn } from '../column-family.ts';
import { duckdb } from '../dialects/duckdb.ts';
import { duckdbType, duckdbValue, readCsv } from '../duckdb-files.ts';
import { labelOf, type Place, type Session, Side } from '../side.ts';
import type { SideToOpen } from './open-side.ts';

/**
 * Opens a dataset in S3 as a side: copies its rows file by file into a DuckDB database in a temporary folder, which is removed afterwards.
 */
export function withDatasetSide<T>(side: DatasetSideToOpen, work: (side: Side) => Promise<T>): Promise<T> {
  return withTemporaryFolder('reconcile', (folder) => withCopy(side, folder, work));
}

type DatasetSideToOpen = Omit<SideToOpen, 'connection'> & { readonly connection: AwsConnection };

async function withCopy<T>(
  { place, connection, zones, signal }: DatasetSideToOpen,
  folder: string,
  work: (side: Side) => Promise<T>,
): Promise<T> {
  const { dataset = '', where } = place;
  const storage = openStorage(connection, place.conn_id);
  let database: DuckDB | undefined;
  try {
    const { content: manifest } = await readManifest(storage, `${dataset.replace(/\/+$/, '')}/${MANIFEST_NAME}`, signal);
    const columns = columnsOf(manifest, dataset);
    const file = join(folder, 'file');
    database = await openDuckDB(folder, file, signal);
    await database.texts(
      `CREATE TABLE dataset (${columns.map((column) => `${duckdb.identifier(column.name)} ${duckdbType(column)}`).join(', ')})`,
    );
    for (const entry of manifest.entries) {
      await fetchDataFile(storage, entry, file, signal);
      await insert(database, manifest, columns, entry, file);
      await rm(file);
    }
    for (const zone of zones) await requireZone(database, zone);
    if (where !== undefined) await checkCondition(database, where);
    const unfiltered = 'SELECT * FROM dataset';
    const rows = where === undefined ? unfiltered : `${unfiltered} WHERE (${where}\n)`;
    return await work(new Side(sessionOf(database, manifest.rows), { label: labelOf(place), rows, unfiltered, columns }));
  } catch (error) {
    throw failureOf(error, place);
  } finally {
    await database?.close();
    storage.client.destroy();
  }
}

function sessionOf(database: DuckDB, rows: number): Session {
  return {
    dialect: duckdb,
    postgresVersion: 0,
    database: undefined,
    texts: (sql) => database.texts(sql),
    batches: (sql) => database.batches(sql),
    guessRows: () => Promise.resolve(rows),
  };
}

function columnsOf({ format, schema }: DatasetManifest, dataset: string): ComparedColumn[] {
  if (format === 'jsonl') {
    throw userFault('InvalidParameters', `${dataset} is jsonl; csv and parquet can be compared. Let the task that makes it write csv.`);
  }
  if (schema.length === 0)
    throw userFault('InvalidParameters', `The manifest of ${dataset} lists no columns: the job that wrote it reported none.`);
  const names = schema.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw userFault(
      'InvalidParameters',
      `${dataset} has two columns called '${twice}' but for upper and lower case. Give one another name.`,
    );
  }
  return schema.map(({ name, type }) => comparedColumn(name, type));
}

async function insert(
  database: DuckDB,
  { format, compression }: Pick<DatasetManifest, 'format' | 'compression'>,
  columns: readonly ComparedColumn[],
  { url, rows }: DatasetFile,
  file: string,
): Promise<void> {
  const from = format === 'csv' ? readCsv(file, columns.length, compression) : `read_parquet(${duckdb.literal(file)})`;
  const values = columns.map((column, index) =>
    duckdbValue(column, format === 'csv' ? `c${index}` : duckdb.identifier(column.name), format),
  );
  try {
    const [[inserted] = []] = await database.texts(`INSERT INTO dataset SELECT ${values.join(', ')} FROM ${from}`);
    if (inserted === String(rows)) return;
    throw userFault('DataDoesNotFit', `${url} holds ${inserted} rows, and its manifest says ${rows}. Let the task before write it again.`);
  } catch (error) {
    const refused = duckDBError(error);
    if (refused === undefined || MACHINE.has(refused.kind)) throw error;
    throw userFault(
      'DataDoesNotFit',
      `${url} is not ${format} of the columns that its manifest names: ${refused.message}. Let the task that makes it write what it declares.`,
      error,
    );
  }
}

/** Error types that a retry may fix: a full disk, no memory. */
const MACHINE: ReadonlySet<string> = new Set(['IO', 'Out of Memory', 'INTERNAL']);

/** Parses the condition alone: if it parses, its parentheses are balanced, so that it can be embedded in other conditions. */
async function checkCondition(database: DuckDB, where: string): Promise<void> {
  await database.check(`SELECT * FROM dataset WHERE ${where}`).catch((error: unknown) => {
    const refused = duckDBError(error);
    if (refused?.kind !== 'Parser' && refused?.kind !== 'Invalid Input') throw error;
    throw userFault(
      'QueryFailed',
      `'where' is not one condition that can be read: ${refused.message}. Write one, without a semicolon.`,
      error,
    );
  });
}

async function requireZone(database: DuckDB, zone: string): Promise<void> {
  await database.texts(`SELECT TIMESTAMP '2024-01-01' AT TIME ZONE ${duckdb.literal(zone)}`).catch((error: unknown) => {
    throw userFault('InvalidParameters', `There is no time zone '${zone}': ${duckDBError(error)?.message ?? ''} Correct its name.`, error);
  });
}

/** Translates an error of DuckDB or of the folder for the analyst. */
function failureOf(error: unknown, place: Place): unknown {
  if (error instanceof ApplicationFailure) return error;
  const refused = duckDBError(error);
  if ((refused && MACHINE.has(refused.kind)) || (error as { code?: unknown }).code === 'ENOSPC') {
    return platformFault(
      'ServiceUnavailable',
      `Could not compare ${labelOf(place)} now: ${(error as Error).message}. Datasets are copied to the temporary folder of this worker, which needs enough space; the task will try again.`,
      error,
    );
  }
  if (refused === undefined) return error;
  const type = refused.kind === 'Binder' && refused.message.startsWith('Referenced column') ? 'ColumnNotFound' : 'QueryFailed';
  return userFault(
    type,
    `Could not compare ${labelOf(place)}: ${refused.message}. Correct the SQL in the task: datasets are read by DuckDB, whose SQL is similar to that of PostgreSQL.`,
    error,
  );
}
