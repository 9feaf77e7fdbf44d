import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { reconcile } from '../../../activities/reconcile.ts';
import type { Reconciliation } from '../../../activities/reconcile/reconcile.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { exportTable } from '../../support/export-table.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../../support/mysql-databases.ts';
import { countsOf } from '../../support/reconcile-databases.ts';
import { runTask } from '../../support/run-task.ts';

/** What rows a table holds: keys, and a value for each. */
type Rows = ReadonlyMap<number, number>;

const rowsOf = (from: number, to: number, changed: Readonly<Record<number, number>> = {}): Map<number, number> =>
  new Map(Array.from({ length: to - from + 1 }, (_, index) => [from + index, changed[from + index] ?? from + index]));

describe('reconcile by row, resumed by another attempt after the tables have changed', function () {
  this.timeout('1m');
  let postgres: TestDatabase;
  let mysql: TestMySQLDatabase;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    [postgres, mysql, bucket] = await Promise.all([createDatabase(), createMySQLDatabase(), createBucket()]);
    await postgres.rows('CREATE TABLE here (id bigint, v integer); CREATE TABLE there (id bigint, v integer)');
    // The server takes it for a table of 2,500,000 rows, which is compared in three stripes.
    await postgres.rows('CREATE FUNCTION large() RETURNS SETOF here LANGUAGE sql ROWS 2500000 AS $$ SELECT * FROM here $$');
    await mysql.rows('CREATE TABLE there (id bigint PRIMARY KEY, v integer)');
  });
  after(() => Promise.all([postgres.drop(), mysql.drop(), bucket.drop()]));

  const valuesOf = (rows: Rows): string => [...rows].map(([id, v]) => `(${id}, ${v})`).join(', ');
  const fillPostgres = async (table: string, rows: Rows): Promise<void> =>
    void (await postgres.rows(`TRUNCATE ${table}; INSERT INTO ${table} VALUES ${valuesOf(rows)}`));

  /** Sides that can be resumed: how each gets rows, and how a task names it. */
  const SIDES: Readonly<Record<string, (rows: Rows) => Promise<JsonObject>>> = {
    async postgres(rows) {
      await fillPostgres('there', rows);
      return { conn_id: 'postgres', table: 'there' };
    },
    async mysql(rows) {
      await mysql.rows('DELETE FROM there', `INSERT INTO there VALUES ${valuesOf(rows)}`);
      return { conn_id: 'mysql', table: 'there' };
    },
    async dataset(rows) {
      await fillPostgres('there', rows);
      return { conn_id: 'aws_default', dataset: await exportTable(postgres, bucket, 'there') };
    },
  };

  /** Compares, and tells what an attempt would have left after each of its stripes. */
  async function compare(target: JsonObject, resumePoint?: Json): Promise<{ counts: number[]; points: Json[] }> {
    const points: Json[] = [];
    const result = await runTask<Reconciliation>(reconcile, {
      params: { source: { conn_id: 'postgres', query: 'SELECT * FROM large()' }, target, key: ['id'], on_mismatch: 'warn' },
      environment: { SLUICE_CONN_POSTGRES: postgres.url, SLUICE_CONN_MYSQL: mysql.url, SLUICE_CONN_AWS_DEFAULT: bucket.url },
      ...(resumePoint !== undefined && { resumePoint }),
      onProgress: (point) => void (point !== undefined && points.push(point)),
    });
    return { counts: countsOf(result), points };
  }
  const after1 = (points: readonly Json[], stripes: number): Json =>
    points.find((point) => (point as { stripes?: number }).stripes === stripes) ?? assert.fail(`no progress after ${stripes} stripes`);

  for (const [side, fill] of Object.entries(SIDES)) {
    const setUp = async (here: Rows, there: Rows): Promise<JsonObject> => {
      await fillPostgres('here', here);
      return fill(there);
    };
    /** Rows 1 to 3,000, of which the first 1,000 are compared by the first stripe; row 5 of those differs. */
    const begin = async (): Promise<Json> => {
      const { counts, points } = await compare(await setUp(rowsOf(1, 3_000), rowsOf(1, 3_000, { 5: 0 })));
      assert.deepEqual(counts, [3_000, 1, 0, 0]);
      return after1(points, 1);
    };

    it(`${side}: a table that has grown above and below`, async () => {
      const point = await begin();
      const there = rowsOf(-500, 5_000, { 5: 0, 2_000: 0, [-7]: 0 });
      for (const missing of [1_200, 3_001, 4_999]) there.delete(missing);
      const target = await setUp(rowsOf(-500, 5_000), there);
      assert.deepEqual((await compare(target, point)).counts, [5_501, 3, 3, 0]);
    });

    it(`${side}: a table that has shrunk`, async () => {
      const point = await begin();
      const target = await setUp(rowsOf(1, 1_500), rowsOf(1, 1_501, { 5: 0, 1_400: 0 }));
      assert.deepEqual((await compare(target, point)).counts, [1_501, 2, 0, 1]);
    });

    it(`${side}: a table that has grown twice, for a third attempt`, async () => {
      const point = await begin();
      const second = await compare(await setUp(rowsOf(1, 6_000), rowsOf(1, 6_000, { 5: 0, 4_000: 0 })), point);
      assert.deepEqual(second.counts, [6_000, 2, 0, 0]);
      const there = rowsOf(-10, 9_000, { 5: 0, 4_000: 0, 5_900: 0, 6_001: 0, [-10]: 0 });
      const target = await setUp(rowsOf(-10, 9_000), there);
      assert.deepEqual((await compare(target, after1(second.points, 4))).counts, [9_011, 5, 0, 0]);
    });
  }
});
