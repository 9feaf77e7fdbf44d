import { reconcile } from '../../activities/reconcile.ts';
import type { Reconciliation } from '../../activities/reconcile/reconcile.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from './buckets.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from './mysql-databases.ts';
import { runTask, type TaskRun } from './run-task.ts';

/** Columns, and rows in parentheses (may be empty). */
type Filling = readonly [columns: string, rows: string];

/** A MySQL database, connection `shop`, and a PostgreSQL database, `warehouse`, to compare. */
export interface ShopAndWarehouse {
  readonly mysql: TestMySQLDatabase;
  readonly postgres: TestDatabase;
  readonly bucket: TestBucket;
  /** Runs a `reconcile` task, by default from the shop to the warehouse, with only a warning for differences. */
  run(params: JsonObject, more?: Partial<TaskRun>): Promise<Reconciliation>;
  /** Creates a table with the same name in both. */
  fill(name: string, ofMySQL: Filling, ofPostgres: Filling): Promise<void>;
  drop(): Promise<void>;
}

/** Drop them in `after`. */
export async function createShopAndWarehouse(): Promise<ShopAndWarehouse> {
  const [postgres, mysql, bucket] = await Promise.all([createDatabase(), createMySQLDatabase(), createBucket()]);
  return {
    mysql,
    postgres,
    bucket,
    run(params, more = {}) {
      const { source = {}, target = {}, ...rest } = params as { source?: JsonObject; target?: JsonObject };
      return runTask<Reconciliation>(reconcile, {
        params: { source: { conn_id: 'shop', ...source }, target: { conn_id: 'warehouse', ...target }, on_mismatch: 'warn', ...rest },
        environment: { SLUICE_CONN_SHOP: mysql.url, SLUICE_CONN_WAREHOUSE: postgres.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
        ...more,
      });
    },
    async fill(name, ofMySQL, ofPostgres) {
      const statements = ([columns, rows]: Filling): string[] => [
        `CREATE TABLE ${name} (${columns})`,
        ...(rows === '' ? [] : [`INSERT INTO ${name} VALUES ${rows}`]),
      ];
      await Promise.all([mysql.rows(...statements(ofMySQL)), postgres.rows(statements(ofPostgres).join('; '))]);
    },
    async drop() {
      await Promise.all([postgres.drop(), mysql.drop(), bucket.drop()]);
    },
  };
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** A text in SQL, independent of quoting rules. */
export const postgresText = (text: string): string => `convert_from('\\x${hex(text)}', 'UTF8')`;
export const mysqlText = (text: string): string => `CONVERT(x'${hex(text)}' USING utf8mb4)`;

/** The table with this name on both sides. */
export const sameTable = (name: string): JsonObject => ({ source: { table: name }, target: { table: name } });
