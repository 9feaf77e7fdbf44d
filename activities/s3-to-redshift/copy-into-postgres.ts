import { ApplicationFailure } from '@temporalio/activity';
import { from as copyFrom } from 'pg-copy-streams';
import type { DatasetFile } from '../../workflows/plan/dataset.ts';
import { everySecond } from '../dataset/parameters.ts';
import { type DataFileToRead, readDataFile } from '../dataset/read-data-file.ts';
import { platformFault, userFault } from '../errors.ts';
import { describe, isServerError } from '../sql/database-failure.ts';
import { quoteList, type TableColumn } from '../sql/find-table.ts';
import { quoteIdentifier } from '../sql/identifiers.ts';
import type { Load } from './load-dataset.ts';

/** JSON lines as COPY takes them untouched: as CSV of one column, quoted and delimited by control characters that JSON does not hold. */
const RAW = 'sluice_staging_lines';

/**
 * Fills a table of PostgreSQL: each object is streamed through COPY, and compared with the manifest on the way.
 * @param into the table, quoted
 * @returns how many rows there were
 * @throws ApplicationFailure DatasetChanged, DataDoesNotFit: then rows may already be in the table
 */
export async function copyIntoPostgres(
  load: Load,
  into: string,
  columns: readonly string[],
  present: readonly TableColumn[],
): Promise<number> {
  const { database, manifest, ctx } = load;
  const { client } = database;
  if (manifest.format === 'parquet')
    throw userFault('InvalidParameters', 'A PostgreSQL warehouse cannot be loaded from parquet: let the task before write csv or jsonl.');
  const isLines = manifest.format === 'jsonl';
  if (isLines) await client.query(`CREATE TEMPORARY TABLE ${RAW} (line json NOT NULL)`);
  const statement = isLines
    ? `COPY ${RAW} (line) FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`
    : `COPY ${into} (${quoteList(columns)}) FROM STDIN (FORMAT csv)`;
  const fromLines = isLines ? insertFromLines(load, into, columns, present) : undefined;
  const progress = everySecond((rows: number) => ctx.progress({ rows }));
  let rows = 0;
  for (const entry of manifest.entries) {
    await copyFile(load, entry, statement, fromLines);
    rows += entry.rows;
    progress(rows);
  }
  if (rows !== manifest.rows) throw changed(load, `its files hold ${rows} rows, and it says ${manifest.rows}`);
  return rows;
}

/** By the names of the data, which the task's `columns` may map onto others, and with the types of the table. */
function insertFromLines({ manifest }: Load, into: string, columns: readonly string[], present: readonly TableColumn[]): string {
  const fields = columns.map((column, index) => ({
    name: quoteIdentifier(manifest.schema[index]?.name ?? column),
    type: present.find(({ name }) => name === column)?.type ?? 'text',
  }));
  return `INSERT INTO ${into} (${quoteList(columns)}) SELECT ${fields.map(({ name }) => `record.${name}`).join(', ')}
    FROM ${RAW}, json_to_record(${RAW}.line) AS record(${fields.map(({ name, type }) => `${name} ${type}`).join(', ')})`;
}

async function copyFile(load: Load, entry: DatasetFile, statement: string, fromLines: string | undefined): Promise<void> {
  const { storage, manifest, database, ctx, table } = load;
  const { client } = database;
  const { url } = entry;
  const format = manifest.format === 'jsonl' ? 'jsonl' : 'csv';
  const file: DataFileToRead = { storage, url, format, compression: manifest.compression, signal: ctx.signal };
  try {
    const sink = client.query(copyFrom(statement));
    const reading = await readDataFile(file, sink);
    // PostgreSQL's own count too: a row that it took for the end of the data would be missing, and nobody else would know.
    if (reading.sha256 !== entry.sha256 || reading.rows !== entry.rows || sink.rowCount !== entry.rows) {
      throw changed(
        load,
        `${url} holds ${sink.rowCount} rows with checksum ${reading.sha256.slice(0, 12)}…, and it says ${entry.rows} with ${entry.sha256.slice(0, 12)}…`,
      );
    }
    if (fromLines !== undefined) {
      await client.query(fromLines);
      await client.query(`TRUNCATE ${RAW}`);
    }
  } catch (error) {
    if (isBadData(error)) await refuseChanged(load, file, entry);
    if (!isServerError(error) || !isBadData(error)) throw error;
    throw userFault(
      'DataDoesNotFit',
      `Could not load ${url} into ${table.schema}.${table.table}: ${describe(error)} Correct the data in the task before, or the type of the column.`,
      error,
    );
  }
}

/** Whether the data itself was refused: by the server, or as gzip. */
function isBadData(error: unknown): boolean {
  if (error instanceof ApplicationFailure) return error.type === 'DataDoesNotFit';
  return isServerError(error) && /^2[23]/.test(error.code);
}

/** A file that was overwritten is bad data too, but the analyst's data is not to blame. */
async function refuseChanged(load: Load, file: DataFileToRead, entry: DatasetFile): Promise<void> {
  const { sha256 } = await readDataFile({ ...file, compression: 'none', format: 'jsonl' });
  if (sha256 !== entry.sha256) {
    throw changed(load, `${entry.url} has checksum ${sha256.slice(0, 12)}…, and it says ${entry.sha256.slice(0, 12)}…`);
  }
}

function changed({ manifestUri }: Load, what: string) {
  return platformFault(
    'DatasetChanged',
    `The data is not what ${manifestUri} says: ${what}. Somebody has written to it since, or another run writes it now. Nothing was loaded.`,
  );
}
