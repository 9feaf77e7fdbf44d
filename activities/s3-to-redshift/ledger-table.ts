import type { SqlClient } from '../../lib/databases/postgres.ts';
import { userFault } from '../run/errors.ts';
import { isServerError } from '../support/sql/database-failure.ts';
import { quoteIdentifier } from '../support/sql/identifiers.ts';

/** The table that records loads, in the schema of the loaded tables. Persisted: columns are added, never changed. */
const LEDGER = 'sluice_loads';

/** Columns added by later releases; empty for loads of earlier ones. */
const ADDED = {
  /** Temporal's id of the first execution of the run. */
  execution: 'varchar(64)',
  /** Distinguishes data variants of an interval (parameters, an event). Empty text for the default data. */
  data_key: 'varchar(64)',
  /** SHA-256 of the manifest. */
  checksum: 'varchar(64)',
} as const;

/** The ledger for tables in `schema`, as SQL. */
export function ledger(schema: string): string {
  return `${quoteIdentifier(schema)}.${LEDGER}`;
}

/**
 * Creates the ledger if it is missing, and migrates one of an earlier release. Runs outside the load's transaction: two first loads may
 * run this at the same time.
 */
export async function prepareLedger(client: SqlClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = '${LEDGER}' AND a.attnum > 0 AND NOT a.attisdropped`,
    [schema],
  );
  const present = new Set(rows.map(({ name }) => name));
  const missing = Object.entries(ADDED).filter(([name]) => !present.has(name));
  if (present.size === 0) await run(client, [create(schema)]);
  else if (missing.length > 0) {
    await run(client, [
      // The old key was run and task, but a run's id can be reused. Redshift adds one column per statement.
      `ALTER TABLE ${ledger(schema)} DROP CONSTRAINT ${LEDGER}_pkey`,
      ...missing.map(([name, type]) => `ALTER TABLE ${ledger(schema)} ADD COLUMN ${name} ${type}`),
    ]);
  }
}

function create(schema: string): string {
  const added = Object.entries(ADDED).map(([name, type]) => `${name} ${type}`);
  return `CREATE TABLE IF NOT EXISTS ${ledger(schema)} (
     pipeline_run_id varchar(1024) NOT NULL, task varchar(256) NOT NULL, dag_id varchar(256) NOT NULL,
     interval_start timestamptz NOT NULL, interval_end timestamptz NOT NULL, table_name varchar(256) NOT NULL, method varchar(16) NOT NULL,
     row_count bigint NOT NULL, manifest varchar(2048) NOT NULL, loaded_at timestamptz NOT NULL, ${added.join(', ')})`;
}

/** SQLSTATEs which mean that a concurrent load was faster: the table or column already exists, or the key is already dropped. */
const DONE_BY_ANOTHER = ['42P07', '42710', '23505', '42701', '42704'];

async function run(client: SqlClient, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    try {
      await client.query(statement);
    } catch (error) {
      if (!isServerError(error)) throw error;
      if (error.code === '42501') {
        throw userFault(
          'AccessDenied',
          `The connection may not create or change ${LEDGER}, the table in which loads are remembered: ${error.message}. Let the owner of the schema run:\n${statements.join(';\n')};`,
          error,
        );
      }
      if (!DONE_BY_ANOTHER.includes(error.code)) throw error;
    }
  }
}
