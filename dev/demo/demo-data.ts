import { openPostgres, type PostgresConnection, type SqlClient } from '../../lib/databases/postgres.ts';
import { withinTime } from '../../lib/time-limit.ts';
import { dailyProductSales } from './daily-product-sales.ts';
import { dimProductCategories, fillProductCategories, productCategories } from './product-categories.ts';
import { productPopularity } from './product-popularity.ts';
import { factSales, fillFactSales, fillSales, sales } from './sales.ts';
import { fillUserEvents, userEvents } from './user-events.ts';

/** An arbitrary lock id, held while filling the demo's tables, so that two concurrent starts do not both fill them. */
const ADVISORY_LOCK = 7_583_001;
const FILL_LIMIT_MS = 120_000;

export interface DemoData {
  readonly source: PostgresConnection;
  readonly warehouse: PostgresConnection;
  /** Number of categories to create; ignored if there are some already. */
  readonly rows: number;
  /** A day, YYYY-MM-DD, for which both databases get sales. */
  readonly day: string;
}

/** Creates and fills missing demo tables. Returns the row count of the source tables. */
export async function createDemoData({ source, warehouse, rows, day }: DemoData): Promise<{ categories: number; sales: number }> {
  await inTransaction(warehouse, async (client) => {
    await client.query(dimProductCategories);
    await client.query(dailyProductSales);
    await client.query(factSales);
    await client.query(fillFactSales, [day]);
  });
  return inTransaction(source, async (client) => {
    await client.query(productCategories);
    await client.query(sales);
    await client.query(productPopularity);
    await client.query(fillSales, [day]);
    await client.query(userEvents);
    await client.query(fillUserEvents);
    if ((await countRows(client, 'product_categories')) === 0) await client.query(fillProductCategories, [rows]);
    return { categories: await countRows(client, 'product_categories'), sales: await countRows(client, 'sales') };
  });
}

async function countRows(client: SqlClient, table: 'product_categories' | 'sales'): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]?.count);
}

function inTransaction<T>(connection: PostgresConnection, work: (client: SqlClient) => Promise<T>): Promise<T> {
  return withinTime(FILL_LIMIT_MS, undefined, (signal) => transaction(connection, work, signal));
}

async function transaction<T>(connection: PostgresConnection, work: (client: SqlClient) => Promise<T>, signal: AbortSignal): Promise<T> {
  const { client, close } = await openPostgres(connection, 'sluice: demo data', signal);
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    const result = await work(client);
    await client.query('COMMIT');
    // Update statistics now, so that the planner does not assume an empty table for the first query.
    await client.query('ANALYZE');
    return result;
  } finally {
    await close();
  }
}
