import { taskName, variantDigest } from '../support/dataset/run-folder.ts';
import { userFault } from '../run/errors.ts';
import type { FoundTable } from '../support/sql/find-table.ts';
import { quoteIdentifier } from '../support/sql/identifiers.ts';
import { ledger } from './ledger-table.ts';
import type { Load } from './load-order.ts';

/**
 * Finds the load of an earlier attempt: same task, same execution, same data. A workflow id that is reused, for a reprocessed interval or
 * after Temporal's retention, belongs to another execution, whose load is a new one.
 */
export async function findLoad({ ctx, database, checksum }: Load, { schema }: FoundTable): Promise<{ rows: number } | undefined> {
  const { run, pipelineRunId } = ctx;
  // Rows without an execution were written by earlier releases: a row newer than this execution's start belongs to it.
  const own = run
    ? {
        sql: `(execution = $3 AND checksum = $4 OR execution IS NULL AND loaded_at >= $5)`,
        values: [run.execution, checksum, run.startedAt],
      }
    : { sql: 'execution IS NULL', values: [] };
  const { rows } = await database.client.query<{ row_count: string }>(
    `SELECT row_count FROM ${ledger(schema)} WHERE pipeline_run_id = $1 AND task = $2 AND ${own.sql}`,
    [pipelineRunId, taskName(ctx.task), ...own.values],
  );
  return rows[0] && { rows: Number(rows[0].row_count) };
}

/** Rows of this task's last load into the table with the same parameters; undefined if there was none. */
export async function rowsOfLastLoad(load: Load, { schema, table }: FoundTable): Promise<number | undefined> {
  const { ctx, database } = load;
  const { rows } = await database.client.query<{ row_count: string }>(
    `SELECT row_count FROM ${ledger(schema)} WHERE table_name = $1 AND dag_id = $2 AND task = $3
       AND (data_key IS NULL OR CAST($4 AS varchar) IS NULL OR data_key = $4)
     ORDER BY loaded_at DESC LIMIT 1`,
    [table, ctx.dagId, taskName(ctx.task), dataKey(load)],
  );
  return rows[0] && Number(rows[0].row_count);
}

/** An append to the same table whose interval overlaps this one's. */
interface OverlappingAppend {
  readonly pipeline_run_id: string;
  readonly row_count: string;
  readonly since: string;
  readonly until: string;
  /** Whether it has the same task and the same data variant: parameters and event. */
  readonly is_same: boolean;
}

/**
 * Makes sure that no row is appended twice. Data with other parameters or from another event is different data.
 * @returns `replace` when the rows of this interval must be deleted first
 * @throws ApplicationFailure IntervalAlreadyLoaded when another run has appended part of this interval, and `on_overlap` is not set
 */
export async function resolveOverlap(load: Load, target: FoundTable): Promise<'append' | 'replace'> {
  const { onOverlap } = load;
  if (onOverlap === 'append') return 'append';
  const overlapping = await findOverlapping(load, target);
  const same = overlapping.filter((append) => append.is_same);
  const [first] = same;
  if (!first) return 'append';
  const { start, end } = coveredBy(load);
  const where = `${start} – ${end} overlaps what is in ${target.schema}.${target.table}: ${describeAppends(same)}`;
  if (onOverlap === undefined) {
    throw userFault(
      'IntervalAlreadyLoaded',
      `${where}. Loaded again, they would be there twice. Use method upsert or replace; or on_overlap: replace, which deletes the rows of ${start} – ${end} first.`,
    );
  }
  const others = overlapping.filter((append) => !append.is_same);
  if (others.length > 0) {
    throw userFault(
      'IntervalAlreadyLoaded',
      `${where}; and on_overlap: replace would delete other data of that time with it: ${describeAppends(others)}. Use method upsert, which leaves other rows alone.`,
    );
  }
  return 'replace';
}

async function findOverlapping(load: Load, { schema, table }: FoundTable): Promise<OverlappingAppend[]> {
  const { ctx, database } = load;
  const { start, end } = coveredBy(load);
  const { rows } = await database.client.query<OverlappingAppend>(
    `SELECT pipeline_run_id, row_count, CAST(interval_start AS varchar) AS since, CAST(interval_end AS varchar) AS until,
       dag_id = $1 AND task = $2 AND (data_key IS NULL OR CAST($4 AS varchar) IS NULL OR data_key = $4) AS is_same
     FROM ${ledger(schema)}
     WHERE table_name = $3 AND method = 'append' AND (interval_start < $6 AND interval_end > $5 OR interval_start = $5 AND interval_end = $6)
     ORDER BY interval_start, loaded_at`,
    [ctx.dagId, taskName(ctx.task), table, dataKey(load), start, end],
  );
  return rows;
}

function describeAppends([first, ...more]: readonly OverlappingAppend[]): string {
  if (!first) return '';
  const { pipeline_run_id: run, row_count: rows, since, until } = first;
  return `run '${run}' has already appended ${rows} rows of ${since} – ${until}${more.length > 0 ? `, and ${more.length} more loads overlap` : ''}`;
}

/** Deletes the rows of the table in the time range of this load. @returns their number */
export async function deleteInterval(load: Load, { schema, table }: FoundTable): Promise<number> {
  const { start, end, column } = coveredBy(load);
  if (column === undefined) throw noIntervalColumn(load);
  const name = quoteIdentifier(column);
  const { rowCount } = await load.database.client.query(
    `DELETE FROM ${quoteIdentifier(schema)}.${quoteIdentifier(table)} WHERE ${name} >= $1 AND ${name} < $2`,
    [start, end],
  );
  return rowCount ?? 0;
}

/** @throws ApplicationFailure InvalidParameters when `on_overlap: replace` cannot tell which rows to replace */
export function checkOverlapRule(load: Load): void {
  if (load.onOverlap === 'replace' && coveredBy(load).column === undefined) throw noIntervalColumn(load);
}

function noIntervalColumn({ table }: Load): Error {
  return userFault(
    'InvalidParameters',
    `on_overlap: replace needs to know which rows of ${table.schema}.${table.table} belong to an interval. Name the column of their time in interval_column; a postgres_to_s3 task with 'incremental' just before this one sets it automatically.`,
  );
}

/** The time range of the data, and the table's column for it: from the extract if it was incremental, else the run's interval. */
function coveredBy({ ctx, manifest, columns, intervalColumn }: Load): { start: string; end: string; column: string | undefined } {
  const { incremental } = manifest;
  if (!incremental) return { ...ctx.interval, column: intervalColumn };
  const place = manifest.schema.findIndex(({ name }) => name === incremental.column);
  const loaded = place < 0 ? undefined : (columns?.[place] ?? incremental.column);
  return { start: incremental.start, end: incremental.end, column: intervalColumn ?? loaded };
}

/** Records the load, in its transaction. */
export async function writeLoad(load: Load, { schema, table }: FoundTable, rows: number): Promise<void> {
  const { ctx, database, method, manifestUri, checksum } = load;
  const { start, end } = coveredBy(load);
  await database.client.query(
    `INSERT INTO ${ledger(schema)} (pipeline_run_id, task, dag_id, interval_start, interval_end, table_name, method, row_count, manifest,
       loaded_at, execution, data_key, checksum)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      ctx.pipelineRunId,
      taskName(ctx.task),
      ctx.dagId,
      start,
      end,
      table,
      method,
      rows,
      manifestUri,
      new Date().toISOString(),
      ctx.run?.execution ?? null,
      dataKey(load),
      checksum,
    ],
  );
}

/** Null for a run of an earlier release, which does not know its data variant. */
function dataKey({ ctx }: Load): string | null {
  return ctx.run ? variantDigest(ctx.run.variant) : null;
}
