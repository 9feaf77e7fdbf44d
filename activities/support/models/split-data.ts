import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDB, duckDBError, openDuckDB } from '../../../lib/databases/duckdb.ts';
import { parseS3Uri } from '../../../lib/s3.ts';
import { withTemporaryFolder } from '../../../lib/temporary-folder.ts';
import type { DatasetManifest, DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';
import { deleteAllUnder } from '../dataset/delete-under.ts';
import { fetchDataFile } from '../dataset/fetch-data-file.ts';
import { PartWriter } from '../dataset/part-writer.ts';
import type { StoredManifest } from '../dataset/read-manifest.ts';
import type { Storage } from '../dataset/storage.ts';
import { tableFormat } from '../dataset/table-format.ts';
import { writeManifest } from '../dataset/write-manifest.ts';
import { userFault } from '../../run/errors.ts';
import { type ComparedColumn, comparedColumn } from '../../reconcile/column-family.ts';
import { duckdb, isUnbounded } from '../../reconcile/dialects/duckdb.ts';
import { duckdbValue, jsonColumn, jsonLines, readCsv } from '../../reconcile/duckdb-files.ts';

/** How a training sets rows aside. */
export interface Split {
  /** The column whose largest values are set aside; `time` also means the only column of dates or times, if no column has that name. */
  readonly by: string;
  /** The share of rows to set aside: `20%`. */
  readonly test: string;
}

/** The two parts of a dataset. */
export interface SplitData {
  /** The column that the rows were split by. */
  readonly by: string;
  /** The smallest value that was set aside. */
  readonly from: string;
  readonly train: DatasetReference;
  readonly test: DatasetReference;
}

/** The internal column to split by. No file has a column with this name. */
const KEY = '"\u0001key"';

const TIMES = ['date', 'timestamp', 'timestamptz'];

/**
 * Splits a dataset in two: the newest rows are set aside for the evaluation, the rest is for training. Rows with the same time are never in
 * both parts. The same rows give the same two files. Works in a folder on disk, with bounded memory.
 * @param folder of the two parts: `s3://bucket/prefix/`
 * @throws ApplicationFailure `InvalidParameters`, `ColumnNotFound` or `DataDoesNotFit` when it cannot be split
 */
export async function splitData(
  storage: Storage,
  manifest: StoredManifest,
  split: Split,
  folder: string,
  signal: AbortSignal,
): Promise<SplitData> {
  const column = columnOf(manifest, split);
  await deleteAllUnder(storage, parseS3Uri(folder), signal);
  return withTemporaryFolder('split', async (work) => {
    const file = join(work, 'file');
    const database = await openDuckDB(work, file, signal);
    try {
      await loadRows({ storage, manifest, column, database, file, signal });
      const from = await findCut(database, manifest, column, Number.parseFloat(split.test) / 100);
      const write = (name: 'train' | 'test', condition: string): Promise<DatasetReference> =>
        writePart({ storage, manifest, database, file, signal }, `${folder}${name}/`, condition);
      const train = await write('train', `${KEY} < (SELECT ${KEY} FROM cut)`);
      const test = await write('test', `${KEY} >= (SELECT ${KEY} FROM cut)`);
      return { by: column.name, from, train, test };
    } finally {
      await database.close();
    }
  });
}

/** @throws ApplicationFailure when the column does not exist, or its values have no order */
function columnOf({ content, uri }: StoredManifest, { by }: Split): ComparedColumn {
  const columns = content.schema.map(({ name, type }) => comparedColumn(name, type));
  const times = columns.filter(({ family }) => TIMES.includes(family));
  const listed = columns.map(({ name, type }) => `${name} (${type})`).join(', ') || 'none that its manifest names';
  const named = columns.find(({ name }) => name === by);
  if (!named && by === 'time') {
    const [only] = times;
    if (only && times.length === 1) return only;
    const many = times.length === 0 ? 'no column of dates or times' : `${times.length} columns of dates or times`;
    throw userFault(
      'ColumnNotFound',
      `\`split: {by: time}\` needs one column of dates or times, and ${uri} has ${many}. Its columns: ${listed}. Name the column in \`by\`.`,
    );
  }
  if (!named)
    throw userFault('ColumnNotFound', `\`split\` names the column '${by}', and ${uri} has: ${listed}. Name one of them in \`by\`.`);
  const isOrdered = TIMES.includes(named.family) || named.family === 'float' || (named.family === 'number' && !isUnbounded(named));
  if (isOrdered) return named;
  throw userFault(
    'InvalidParameters',
    `\`split\` cannot put rows in order by '${by}', which is of type ${named.type}: it takes a column of dates, times or numbers of a declared size. Columns: ${listed}.`,
  );
}

interface Loading {
  readonly storage: Storage;
  readonly manifest: StoredManifest;
  readonly database: DuckDB;
  /** The one file that the database may read and write. */
  readonly file: string;
  readonly signal: AbortSignal;
}

/** The columns of the table of rows, in their stored form, so that they can be written unchanged. */
function storedColumns({ format, schema }: DatasetManifest): string[] {
  if (format === 'parquet') return schema.map(({ name }) => duckdb.identifier(name));
  return format === 'csv' ? schema.map((_, index) => `c${index}`) : ['line'];
}

async function loadRows({
  storage,
  manifest,
  column,
  database,
  file,
  signal,
}: Loading & { readonly column: ComparedColumn }): Promise<void> {
  const { compression, schema, entries } = manifest.content;
  const format = tableFormat(manifest.content);
  const key = {
    csv: `c${schema.findIndex(({ name }) => name === column.name)}`,
    jsonl: jsonColumn(column.name),
    parquet: duckdb.identifier(column.name),
  }[format];
  const from = {
    csv: readCsv(file, schema.length, compression),
    jsonl: jsonLines(file, compression),
    parquet: `read_parquet(${duckdb.literal(file)})`,
  }[format];
  const columns = storedColumns(manifest.content).join(', ');
  const rows = `SELECT ${columns}, ${duckdbValue(column, key, format === 'parquet' ? 'parquet' : 'csv')} AS ${KEY} FROM ${from}`;
  let isNew = true;
  for (const entry of entries) {
    if (entry.rows === 0) continue;
    await fetchDataFile(storage, entry, file, signal);
    try {
      await database.texts(isNew ? `CREATE TABLE rows AS ${rows}` : `INSERT INTO rows ${rows}`);
    } catch (error) {
      const refused = duckDBError(error);
      if (refused?.kind !== 'Conversion' && refused?.kind !== 'Invalid Input') throw error;
      throw userFault('DataDoesNotFit', `${entry.url} cannot be split by '${column.name}' (${column.type}): ${refused.message}.`, error);
    }
    isNew = false;
    await rm(file);
  }
  if (isNew) throw userFault('DataDoesNotFit', `${manifest.uri} has no rows: there is nothing to train with.`);
  const [[found] = []] = await database.texts('SELECT count(*) FROM rows');
  if (found === String(manifest.content.rows)) return;
  throw userFault(
    'DataDoesNotFit',
    `The files of ${manifest.uri} hold ${found} rows, and it says ${manifest.content.rows}. Let the task before write them again.`,
  );
}

/** Creates the table `cut`, which contains the smallest value that is set aside. @returns this value */
async function findCut(database: DuckDB, { uri, content }: StoredManifest, { name }: ComparedColumn, share: number): Promise<string> {
  const [[missing] = []] = await database.texts(`SELECT count(*) FROM rows WHERE ${KEY} IS NULL`);
  if (missing !== '0') {
    throw userFault(
      'DataDoesNotFit',
      `${missing} rows of ${uri} have no '${name}', and belong to neither part of the split. Leave them out in the extract: where: ${name} IS NOT NULL.`,
    );
  }
  const train = content.rows - Math.max(1, Math.round(content.rows * share));
  await database.texts(`CREATE TABLE cut AS SELECT ${KEY} FROM rows ORDER BY ${KEY} LIMIT 1 OFFSET ${train}`);
  const [[from, isFirst] = []] = await database.texts(
    `SELECT ${KEY}::VARCHAR, (NOT EXISTS (SELECT 1 FROM rows WHERE rows.${KEY} < cut.${KEY}))::VARCHAR FROM cut`,
  );
  if (isFirst === 'false') return from ?? '';
  throw userFault(
    'DataDoesNotFit',
    `A split of ${uri} by '${name}' leaves no row to train with: of its ${content.rows} rows, all that are not set aside, and the first of those that are, have ${from}. ` +
      'Rows of one time stay together. Split by a column whose values differ, or set less aside in `test`.',
  );
}

async function writePart(
  { storage, manifest, database, file, signal }: Loading,
  uri: string,
  condition: string,
): Promise<DatasetReference> {
  const { compression, schema } = manifest.content;
  const format = tableFormat(manifest.content);
  const columns = storedColumns(manifest.content).join(', ');
  const extension = format === 'parquet' ? 'parquet' : `${format}${compression === 'gzip' ? '.gz' : ''}`;
  const how = {
    csv: `FORMAT csv, HEADER false, COMPRESSION ${compression}`,
    jsonl: `FORMAT csv, HEADER false, COMPRESSION ${compression}, DELIMITER '\u0001', QUOTE '', ESCAPE ''`,
    parquet: 'FORMAT parquet',
  }[format];
  await database.texts(
    `COPY (SELECT ${columns} FROM rows WHERE ${condition} ORDER BY ${KEY}, ${columns}) TO ${duckdb.literal(file)} (${how}, USE_TMP_FILE false)`,
  );
  const [[rows] = []] = await database.texts(`SELECT count(*) FROM rows WHERE ${condition}`);
  const { bucket, key } = parseS3Uri(uri);
  // DuckDB has already compressed the file if needed.
  const part = new PartWriter(storage, { bucket, key: `${key}part-00000.${extension}` }, 'none');
  try {
    for await (const chunk of createReadStream(file, { signal })) await part.write(chunk as Buffer);
  } catch (error) {
    await part.abort();
    throw error;
  }
  const files = [await part.close(Number(rows))];
  await rm(file);
  return writeManifest(storage, uri, { format, compression, schema, files }, signal);
}
