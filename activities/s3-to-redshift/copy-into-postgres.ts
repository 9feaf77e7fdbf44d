import { ApplicationFailure } from '@temporalio/activity';
import { from as copyFrom } from 'pg-copy-streams';
import type { DatasetFile } from '../../workflows/plan/datasets/dataset.ts';
import { everySecond } from '../support/dataset/parameters.ts';
import { type DataFileToRead, readDataFile } from '../support/dataset/read-data-file.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { describe, isServerError } from '../support/sql/database-failure.ts';
import { quoteList, type TableColumn } from '../support/sql/find-table.ts';
import { quoteIdentifier } from '../support/sql/identifiers.ts';
import { rowsKeptOut } from './check-effects.ts';
import type { Load } from './load-order.ts';
import type { LoadTarget } from './load-target.ts';
import { newStagingTable } from './staging-table.ts';

/** Where to copy the rows. */
export interface CopyTarget {
  /** The table, as SQL. */
  readonly into: string;
  /** The columns of the data under the table's names; generated columns only for JSON lines. */
  readonly columns: readonly string[];
  readonly present: readonly TableColumn[];
  /** Absent: a staging table, which accepts every row unchanged. */
  readonly target?: LoadTarget;
}

/**
 * Fills a PostgreSQL table within a transaction: streams each object through COPY and compares it with the manifest on the way.
 * @returns the number of rows
 * @throws ApplicationFailure DatasetChanged, DataDoesNotFit: then rows may already be in the table
 */
export async function copyIntoPostgres(load: Load, copying: CopyTarget): Promise<number> {
  const { database, manifest, ctx } = load;
  const { client } = database;
  if (manifest.format === 'parquet')
    throw userFault('InvalidParameters', 'A PostgreSQL warehouse cannot be loaded from parquet: let the task before write csv or jsonl.');
  const lines = manifest.format === 'jsonl' ? await createLines(load, copying) : undefined;
  const statement = lines?.copy ?? `COPY ${copying.into} (${quoteList(copying.columns)}) FROM STDIN (FORMAT csv)`;
  const progress = everySecond((rows: number) => ctx.progress({ rows }));
  let rows = 0;
  for (const entry of manifest.entries) {
    await copyFile(load, entry, copying, statement, lines);
    rows += entry.rows;
    progress(rows);
  }
  if (lines) await client.query(`DROP TABLE ${lines.table}`);
  if (rows !== manifest.rows) throw changed(load, `its files hold ${rows} rows, and it says ${manifest.rows}`);
  return rows;
}

/** The temporary table of JSON lines, and the statement that converts them to rows. */
interface Lines {
  readonly table: string;
  readonly copy: string;
  readonly insert: string;
}

/**
 * COPY reads JSON lines unchanged as CSV with one column, quoted and delimited by control characters that JSON cannot contain. They are
 * converted to rows by the data's field names, which the task's `columns` may map to others, with the types of the table.
 */
async function createLines({ manifest, database }: Load, { into, columns, present, target }: CopyTarget): Promise<Lines> {
  const table = newStagingTable();
  await database.client.query(`CREATE TEMPORARY TABLE ${table} (line json NOT NULL)`);
  const fields = columns
    .map((column, index) => ({
      column,
      name: quoteIdentifier(manifest.schema[index]?.name ?? column),
      of: present.find(({ name }) => name === column),
    }))
    .filter(({ of }) => target === undefined || of?.isGenerated !== true);
  const list = quoteList(fields.map(({ column }) => column));
  return {
    table,
    copy: `COPY ${table} (line) FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`,
    insert: `INSERT INTO ${into} (${list}) OVERRIDING SYSTEM VALUE SELECT ${fields.map(({ name }) => `record.${name}`).join(', ')}
      FROM ${table}, json_to_record(${table}.line) AS record(${fields.map(({ name, of }) => `${name} ${of?.type ?? 'text'}`).join(', ')})`,
  };
}

async function copyFile(
  load: Load,
  entry: DatasetFile,
  { target }: CopyTarget,
  statement: string,
  lines: Lines | undefined,
): Promise<void> {
  const { storage, manifest, database, ctx, table } = load;
  const { client } = database;
  const { url } = entry;
  const format = manifest.format === 'jsonl' ? 'jsonl' : 'csv';
  const file: DataFileToRead = { storage, url, format, compression: manifest.compression, signal: ctx.signal };
  try {
    const sink = client.query(copyFrom(statement));
    const reading = await readDataFile(file, sink);
    const taken = sink.rowCount ?? 0;
    const isAsWritten = reading.sha256 === entry.sha256 && reading.rows === entry.rows;
    const keptOut = isAsWritten && target && lines === undefined && taken < entry.rows ? rowsKeptOut(target, entry.rows, taken) : undefined;
    if (keptOut) throw keptOut;
    // Check PostgreSQL's own count too: only it reveals a row that COPY took for the end of the data.
    if (!isAsWritten || taken !== entry.rows) {
      throw changed(
        load,
        `${url} holds ${taken} rows with checksum ${reading.sha256.slice(0, 12)}…, and it says ${entry.rows} with ${entry.sha256.slice(0, 12)}…`,
      );
    }
    if (lines) {
      const { rowCount } = await client.query(lines.insert);
      if (target && rowCount !== entry.rows)
        throw rowsKeptOut(target, entry.rows, rowCount ?? 0) ?? changed(load, `${url} gave ${rowCount} rows`);
      await client.query(`TRUNCATE ${lines.table}`);
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

/** Whether the data itself was refused: by the server, or as invalid gzip. */
function isBadData(error: unknown): boolean {
  if (error instanceof ApplicationFailure) return error.type === 'DataDoesNotFit';
  return isServerError(error) && /^2[23]/.test(error.code);
}

/** Refuses a file that was overwritten: that is not a fault of the analyst's data. */
async function refuseChanged(load: Load, file: DataFileToRead, entry: DatasetFile): Promise<void> {
  const { sha256 } = await readDataFile({ ...file, compression: 'none', format: 'jsonl' });
  if (sha256 !== entry.sha256) {
    throw changed(load, `${entry.url} has checksum ${sha256.slice(0, 12)}…, and it says ${entry.sha256.slice(0, 12)}…`);
  }
}

function changed({ manifestUri }: Load, what: string) {
  return platformFault(
    'DatasetChanged',
    `The data is not what ${manifestUri} says: ${what}. It was overwritten since, or another run is writing it. Nothing was loaded.`,
  );
}
