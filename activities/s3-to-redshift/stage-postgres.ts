import { from as copyFrom } from 'pg-copy-streams';
import type { DatasetFile } from '../../workflows/plan/dataset.ts';
import { everySecond } from '../dataset/parameters.ts';
import { readDataFile } from '../dataset/read-data-file.ts';
import { platformFault, userFault } from '../errors.ts';
import { describe, isServerError } from '../sql/database-failure.ts';
import { quoteList } from '../sql/find-table.ts';
import type { Load } from './load-dataset.ts';
import { STAGING } from './staging-table.ts';

/** JSON lines as COPY takes them untouched: as CSV of one column, quoted and delimited by control characters that JSON does not hold. */
const RAW = 'sluice_staging_lines';

/**
 * Fills the staging table of a PostgreSQL warehouse: each object is streamed through COPY, and compared with the manifest on the way.
 * @throws ApplicationFailure DatasetChanged, DataDoesNotFit
 */
export async function stageFromPostgres(load: Load, columns: readonly string[]): Promise<void> {
  const { database, manifest, ctx } = load;
  const { client } = database;
  if (manifest.format === 'parquet')
    throw userFault('InvalidParameters', 'A PostgreSQL warehouse cannot be loaded from parquet: let the task before write csv or jsonl.');
  const lines = manifest.format === 'jsonl';
  if (lines) await client.query(`CREATE TEMPORARY TABLE ${RAW} (line jsonb) ON COMMIT DROP`);
  const statement = lines
    ? `COPY ${RAW} (line) FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`
    : `COPY ${STAGING} (${quoteList(columns)}) FROM STDIN (FORMAT csv)`;
  const progress = everySecond((rows: number) => ctx.progress({ rows }));
  let rows = 0;
  for (const entry of manifest.entries) {
    await copyFile(load, entry, statement);
    rows += entry.rows;
    progress(rows);
  }
  if (rows !== manifest.rows) throw changed(load, `its files hold ${rows} rows, and it says ${manifest.rows}`);
  if (lines) {
    const values = columns.map((_, index) => `record.${quoteList([columns[index] ?? ''])}`).join(', ');
    await client.query(
      `INSERT INTO ${STAGING} (${quoteList(columns)}) SELECT ${values} FROM ${RAW}, jsonb_populate_record(NULL::${STAGING}, ${RAW}.line) AS record`,
    );
  }
}

async function copyFile(load: Load, entry: DatasetFile, statement: string): Promise<void> {
  const { storage, manifest, database, ctx, table } = load;
  const { url } = entry;
  const format = manifest.format === 'jsonl' ? 'jsonl' : 'csv';
  try {
    const reading = await readDataFile(
      { storage, url, format, compression: manifest.compression, signal: ctx.signal },
      database.client.query(copyFrom(statement)),
    );
    if (reading.sha256 !== entry.sha256 || reading.rows !== entry.rows) {
      throw changed(
        load,
        `${url} holds ${reading.rows} rows with checksum ${reading.sha256.slice(0, 12)}…, and it says ${entry.rows} with ${entry.sha256.slice(0, 12)}…`,
      );
    }
  } catch (error) {
    if (!isServerError(error) || !/^2[23]/.test(error.code)) throw error;
    throw userFault(
      'DataDoesNotFit',
      `Could not load ${url} into ${table.schema}.${table.table}: ${describe(error)} Correct the data in the task before, or the type of the column.`,
      error,
    );
  }
}

function changed({ manifestUri }: Load, what: string) {
  return platformFault(
    'DatasetChanged',
    `The data is not what ${manifestUri} says: ${what}. Somebody has written to it since, or another run writes it now. Nothing was loaded.`,
  );
}
