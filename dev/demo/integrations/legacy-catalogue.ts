import { connectionsFrom } from '../../../connections/connections.ts';
import { openMySQL } from '../../../lib/databases/mysql.ts';
import { openPostgres } from '../../../lib/databases/postgres.ts';
import type { Environment } from '../../../lib/environment.ts';
import { withinTime } from '../../../lib/time-limit.ts';

/** The database of the legacy catalogue, on the server of `mysql_default`. */
export const LEGACY_DATABASE = 'legacy_catalogue';
const LIMIT_MS = 60_000;

const LEGACY_TABLES = [
  `CREATE DATABASE IF NOT EXISTS ${LEGACY_DATABASE} CHARACTER SET utf8mb4`,
  `CREATE TABLE IF NOT EXISTS ${LEGACY_DATABASE}.products (
    product_id BIGINT PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    category VARCHAR(80),
    price DECIMAL(12, 2) NOT NULL
  )`,
  `INSERT IGNORE INTO ${LEGACY_DATABASE}.products VALUES
    (89101, 'Desk lamp', 'home', 19.90), (89102, 'Office chair', 'home', 149.00), (89103, 'Headphones', 'audio', 79.50)`,
];

/** What `product_catalogue_sync` writes to the warehouse. A deleted product stays in the table, and is not in the view. */
export const WAREHOUSE_TABLES = `
  CREATE TABLE IF NOT EXISTS legacy_products (
    product_id bigint PRIMARY KEY,
    name text,
    category text,
    price numeric(12, 2),
    is_deleted boolean NOT NULL,
    binlog_file text NOT NULL,
    binlog_position bigint NOT NULL,
    binlog_row integer NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE OR REPLACE VIEW legacy_catalogue AS SELECT product_id, name, category, price FROM legacy_products WHERE NOT is_deleted`;

/** Creates the database of the legacy catalogue with some products, and the tables of the warehouse, where they are missing. */
export async function createLegacyCatalogue(environment: Environment): Promise<void> {
  for (const statement of LEGACY_TABLES) await runInMySQL(environment, statement);
  await queryWarehouse(environment, WAREHOUSE_TABLES);
}

/** Runs one statement on the server of `mysql_default`. @returns its rows, values as text */
export function runInMySQL(environment: Environment, sql: string): Promise<(string | null)[][]> {
  return withinTime(LIMIT_MS, undefined, async (signal) => {
    const session = await openMySQL(connectionsFrom(environment).get('mysql_default', ['mysql']), 'sluice: demo', signal);
    try {
      return (await session.query(sql)).rows;
    } finally {
      await session.close();
    }
  });
}

/** Runs SQL in the warehouse. @returns its rows */
export function queryWarehouse(environment: Environment, sql: string): Promise<Record<string, unknown>[]> {
  return withinTime(LIMIT_MS, undefined, async (signal) => {
    const warehouse = connectionsFrom(environment).get('redshift_default', ['redshift', 'postgres']);
    const { client, close } = await openPostgres(warehouse, 'sluice: demo', signal);
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await close();
    }
  });
}
