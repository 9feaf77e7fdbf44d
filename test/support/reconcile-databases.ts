import { reconcile } from '../../activities/reconcile.ts';
import type { Reconciliation } from '../../activities/reconcile/reconcile.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from './buckets.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { startRedshiftStandIn } from './redshift-stand-in.ts';
import { runTask, type TaskRun } from './run-task.ts';

/** `[compared, changed, missing, extra]`. */
export const countsOf = ({ compared, changed, missing, extra }: Reconciliation): number[] => [compared, changed, missing, extra];

/** Two databases of one test file to compare: connections `source`, `target` and `redshift`, which uses the target's tables. */
export interface ReconcileDatabases {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly bucket: TestBucket;
  /** Runs a `reconcile` task, by default from `source` to `target`. */
  run(params: JsonObject, more?: Partial<TaskRun>): Promise<Reconciliation>;
  /** Creates a table in both databases, each with its own rows: `SELECT …` or `VALUES …`. */
  tables(name: string, columns: string, ofSource: string, ofTarget: string): Promise<void>;
  drop(): Promise<void>;
}

/** Drop them in `after`. */
export async function createReconcileDatabases(): Promise<ReconcileDatabases> {
  const [source, target, bucket] = await Promise.all([createDatabase(), createDatabase(), createBucket()]);
  // Functions of Redshift that PostgreSQL lacks.
  await target.rows(`CREATE FUNCTION strtol(text, int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$`);
  const redshift = await startRedshiftStandIn(target, connectionsFrom({ SLUICE_CONN_A: bucket.url }).get('a', ['aws']));
  return {
    source,
    target,
    bucket,
    run(params, more = {}) {
      const { source: from, target: to, ...rest } = params as { source: JsonObject; target: JsonObject };
      return runTask<Reconciliation>(reconcile, {
        params: { source: { conn_id: 'source', ...from }, target: { conn_id: 'target', ...to }, ...rest },
        environment: {
          SLUICE_CONN_SOURCE: source.url,
          SLUICE_CONN_TARGET: target.url,
          SLUICE_CONN_REDSHIFT: redshift.url,
          SLUICE_CONN_AWS_DEFAULT: bucket.url,
        },
        ...more,
      });
    },
    async tables(name, columns, ofSource, ofTarget) {
      await Promise.all(
        [[source, ofSource] as const, [target, ofTarget] as const].map(([database, rows]) =>
          database.rows(`CREATE TABLE ${name} (${columns}); INSERT INTO ${name} ${rows}`),
        ),
      );
    },
    async drop() {
      await redshift.close();
      await Promise.all([source.drop(), target.drop(), bucket.drop()]);
    },
  };
}
