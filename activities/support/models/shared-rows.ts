import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDB, duckDBError, openDuckDB } from '../../../lib/databases/duckdb.ts';
import { withTemporaryFolder } from '../../../lib/temporary-folder.ts';
import type { DatasetManifest } from '../../../workflows/plan/datasets/dataset.ts';
import { duckdb } from '../../reconcile/dialects/duckdb.ts';
import { fetchDataFile } from '../dataset/fetch-data-file.ts';
import type { Storage } from '../dataset/storage.ts';
import { tableFormat } from '../dataset/table-format.ts';
import { jsonColumn, jsonLines, readCsv } from '../../reconcile/duckdb-files.ts';

/** Datasets with more stored bytes are not compared row by row. */
const LARGEST_BYTES = 256 * 1024 * 1024;
/** Tolerated share of equal rows beyond the training data's own share of duplicates: a model gains little by memorizing so few. */
const CHANCE = 0.1;

/**
 * Counts the rows of a dataset that are also in a model's training data, by the columns that both have.
 * @returns 0 if chance explains the number, because rows with few columns can be equal by chance; undefined if it cannot be determined
 */
export async function countSharedRows(
  storage: Storage,
  trained: DatasetManifest,
  measured: DatasetManifest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const names = new Set(trained.schema.map(({ name }) => name));
  const columns = measured.schema.map(({ name }) => name).filter((name) => names.has(name));
  if (columns.length === 0 || trained.format !== measured.format || trained.bytes + measured.bytes > LARGEST_BYTES) return undefined;
  return withTemporaryFolder('rows', async (work) => {
    const file = join(work, 'file');
    const database = await openDuckDB(work, file, signal);
    try {
      for (const [table, content] of Object.entries({ trained, measured })) {
        await database.texts(`CREATE TABLE ${table} (digest UBIGINT)`);
        await loadDigests({ storage, database, file, signal }, table, content, columns);
      }
      const [[shared, rows, twins] = []] = await database.texts(`SELECT
        (SELECT count(*) FROM measured WHERE digest IN (SELECT digest FROM trained)), (SELECT count(*) FROM measured),
        (SELECT coalesce(sum(times) FILTER (WHERE times > 1), 0) / sum(times) FROM (SELECT count(*) AS times FROM trained GROUP BY digest))`);
      // The share of duplicates in the training data estimates how likely a new row equals one of its rows.
      return Number(shared) > Number(rows) * (Number(twins) + CHANCE) ? Number(shared) : 0;
    } catch (error) {
      if (duckDBError(error) === undefined) throw error;
      return undefined;
    } finally {
      await database.close();
    }
  });
}

interface Loading {
  readonly storage: Storage;
  readonly database: DuckDB;
  /** The one file that the database may read. */
  readonly file: string;
  readonly signal: AbortSignal;
}

async function loadDigests(
  { storage, database, file, signal }: Loading,
  table: string,
  manifest: DatasetManifest,
  columns: readonly string[],
): Promise<void> {
  const { compression, schema, entries } = manifest;
  const format = tableFormat(manifest);
  const from = {
    csv: readCsv(file, schema.length, compression),
    jsonl: jsonLines(file, compression),
    parquet: `read_parquet(${duckdb.literal(file)})`,
  }[format];
  const values = columns.map((column) => {
    if (format === 'csv') return `c${schema.findIndex(({ name }) => name === column)}`;
    return format === 'jsonl' ? jsonColumn(column) : `${duckdb.identifier(column)}::VARCHAR`;
  });
  for (const entry of entries) {
    if (entry.rows === 0) continue;
    await fetchDataFile(storage, entry, file, signal);
    await database.texts(`INSERT INTO ${table} SELECT hash(${values.join(', ')}) FROM ${from}`);
    await rm(file);
  }
}
