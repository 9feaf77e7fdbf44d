import type { SqlClient } from '../../lib/postgres.ts';
import { userFault } from '../errors.ts';
import { isServerError } from '../sql/database-failure.ts';
import type { FoundTable } from '../sql/find-table.ts';
import { quoteIdentifier } from '../sql/identifiers.ts';
import type { Load } from './load-dataset.ts';

/** The table that remembers loads, beside the tables that are loaded. Persisted: columns are added, never changed. */
const LEDGER = 'sluice_loads';

/** As SQL: the ledger of the tables in `schema`. */
export function ledger(schema: string): string {
  return `${quoteIdentifier(schema)}.${LEDGER}`;
}

/** Creates the ledger where it is missing. Outside the load's transaction: two first loads may meet here. */
export async function beginLedger(client: SqlClient, schema: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = '${LEDGER}'`,
    [schema],
  );
  if (rows.length > 0) return;
  try {
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${ledger(schema)} (
         pipeline_run_id varchar(1024) NOT NULL, task varchar(256) NOT NULL, dag_id varchar(256) NOT NULL,
         interval_start timestamptz NOT NULL, interval_end timestamptz NOT NULL, table_name varchar(256) NOT NULL, method varchar(16) NOT NULL,
         row_count bigint NOT NULL, manifest varchar(2048) NOT NULL, loaded_at timestamptz NOT NULL, PRIMARY KEY (pipeline_run_id, task))`,
    );
  } catch (error) {
    // Another load has created it in the same moment.
    if (!isServerError(error) || !['42P07', '23505'].includes(error.code)) throw error;
  }
}

/** What an earlier attempt of the same task in the same run has loaded. */
export async function findLoad({ ctx, database }: Load, { schema }: FoundTable): Promise<{ rows: number } | undefined> {
  const { rows } = await database.client.query<{ row_count: string }>(
    `SELECT row_count FROM ${ledger(schema)} WHERE pipeline_run_id = $1 AND task = $2`,
    [ctx.pipelineRunId, ctx.task],
  );
  return rows[0] && { rows: Number(rows[0].row_count) };
}

/** @throws ApplicationFailure IntervalAlreadyLoaded when another run has appended this interval: its rows would stand twice */
export async function refuseSecondAppend({ ctx, database }: Load, { schema, table }: FoundTable): Promise<void> {
  const { rows } = await database.client.query<{ pipeline_run_id: string; row_count: string }>(
    `SELECT pipeline_run_id, row_count FROM ${ledger(schema)}
     WHERE dag_id = $1 AND task = $2 AND interval_start = $3 AND interval_end = $4 AND table_name = $5 AND method = 'append' LIMIT 1`,
    [ctx.dagId, ctx.task, ctx.interval.start, ctx.interval.end, table],
  );
  const [other] = rows;
  if (!other) return;
  throw userFault(
    'IntervalAlreadyLoaded',
    `Run '${other.pipeline_run_id}' has already appended ${other.row_count} rows of ${ctx.interval.start} – ${ctx.interval.end} to ${schema}.${table}; again they would stand twice. ` +
      `Use method upsert or replace; or delete those rows, and the run's row in ${schema}.${LEDGER}, first.`,
  );
}

/** Remembers the load, in its transaction. */
export async function writeLoad({ ctx, database, method, manifestUri }: Load, { schema, table }: FoundTable, rows: number): Promise<void> {
  await database.client.query(
    `INSERT INTO ${ledger(schema)} (pipeline_run_id, task, dag_id, interval_start, interval_end, table_name, method, row_count, manifest, loaded_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ctx.pipelineRunId,
      ctx.task,
      ctx.dagId,
      ctx.interval.start,
      ctx.interval.end,
      table,
      method,
      rows,
      manifestUri,
      new Date().toISOString(),
    ],
  );
}
