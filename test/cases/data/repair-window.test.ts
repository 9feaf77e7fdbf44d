import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { parseS3Uri } from '../../../lib/s3.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { createReconcileDatabases, type ReconcileDatabases } from '../../support/reconcile-databases.ts';
import { type BucketRuns, createBucketRuns } from '../../support/yaml-runs.ts';

describe('repair within a window, from the file to the table', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
  });
  after(() => close());

  for (const columns of ['columns: [total, at]', '']) {
    it(`updates a row whose day was corrected in the source (${columns || 'all columns'})`, async () => {
      const create =
        'DROP TABLE IF EXISTS hr_sale; CREATE TABLE hr_sale (id int, total numeric, at timestamptz); INSERT INTO hr_sale VALUES';
      const first = "(1, 10, '2026-11-26 10:00+00')";
      await runs.source.rows(`${create} ${first}, (2, 20, '2026-11-26 11:00+00'), (3, 30, '2026-11-26 12:00+00')`);
      await runs.warehouse.rows(`${create} ${first}, (2, 99, '2026-11-26 11:00+00'), (3, 30, '2026-11-27 12:00+00')`);
      const where = 'where: "at >= {{ data_interval_start }} AND at < {{ data_interval_end }}"';
      const { state, tasks } = await runs.run(`
dag_id: hr_repair
schedule_interval: "@daily"
tasks:
  - name: c
    type: reconcile
    source: {conn_id: postgres_default, table: hr_sale, ${where}}
    target: {conn_id: redshift_default, table: hr_sale, ${where}}
    key: [id]
    ${columns}
    report_to: s3://${bucket.name}/reports
    on_mismatch: repair
    retries: 0
`);
      assert.equal(state, 'success', tasks.c?.error);
      const all = 'SELECT * FROM hr_sale ORDER BY id';
      assert.deepEqual(await runs.warehouse.rows(all), await runs.source.rows(all));
    });
  }
});

describe('repair within a window', function () {
  this.timeout('1m');
  let databases: ReconcileDatabases;
  let source: TestDatabase;
  let target: TestDatabase;

  before(async function () {
    this.timeout('20m');
    databases = await createReconcileDatabases();
    ({ source, target } = databases);
  });
  after(() => databases.drop());

  const DAY_1 = "day = '2024-01-01'";
  let tables = 0;
  /** `id, tenant, day, total`; without a primary key, as in Redshift. */
  async function fill(ofSource: string, ofTarget: string): Promise<string> {
    const table = `moved_${(tables += 1)}`;
    for (const [database, rows] of [[source, ofSource] as const, [target, ofTarget] as const]) {
      await database.rows(`CREATE TABLE ${table} (id int, tenant int, day date, total int); INSERT INTO ${table} VALUES ${rows}`);
    }
    return table;
  }
  const repair = (table: string, more: JsonObject = {}): ReturnType<ReconcileDatabases['run']> =>
    databases.run({
      source: { table, where: DAY_1 },
      target: { table, where: DAY_1 },
      key: ['id'],
      on_mismatch: 'repair',
      report_to: `s3://${databases.bucket.name}/${table}`,
      ...more,
    });
  const all = (database: TestDatabase, table: string): Promise<string[]> =>
    database
      .rows<{ row: string }>(`SELECT concat_ws(' ', id, tenant, day, total) AS row FROM ${table} ORDER BY 1`)
      .then((rows) => rows.map(({ row }) => row));

  it('moves rows into it and out of it, and can be taken back', async () => {
    const table = await fill(
      "(1, 1, '2024-01-01', 1), (2, 1, '2024-01-01', 2), (3, 1, '2024-01-02', 3), (4, 1, '2024-01-01', 4)",
      "(1, 1, '2024-01-01', 9), (2, 1, '2024-01-02', 8), (3, 1, '2024-01-01', 7), (5, 1, '2024-01-01', 5), (6, 1, '2024-01-02', 6)",
    );
    const before = await all(target, table);
    const result = await repair(table);
    assert.deepEqual(await all(target, table), [...(await all(source, table)), '6 1 2024-01-02 6']);
    assert.deepEqual([result.repaired, result.discrepancy], [5, 0]);
    assert.match(
      result.summary,
      /All 5 rows are repaired\. 2 of them lay outside the condition of one side, and were updated where they are\./,
    );
    await target.rows(await databases.bucket.text(parseS3Uri(result.undo ?? '').key));
    assert.deepEqual(await all(target, table), before);
  });

  it('deletes a stale row of a key that the target has on the right day, too', async () => {
    const table = await fill("(1, 1, '2024-01-02', 1)", "(1, 1, '2024-01-01', 1), (1, 1, '2024-01-02', 1)");
    await repair(table);
    assert.deepEqual(await all(target, table), ['1 1 2024-01-02 1']);
  });

  it('inserts where the source itself holds the key several times: the condition distinguishes rows', async () => {
    const tenant = { where: 'tenant = 1' };
    const table = await fill("(1, 1, '2024-01-01', 1), (1, 2, '2024-01-01', 2)", "(1, 2, '2024-01-01', 2)");
    await repair(table, { source: { table, ...tenant }, target: { table, ...tenant } });
    assert.deepEqual(await all(target, table), await all(source, table));
  });

  for (const [name, ofTarget, more, message] of [
    [
      'only the target has a condition, outside of which the key is',
      "(1, 2, '2024-01-01', 9)",
      { source: {}, target: { where: 'tenant = 1' } },
      /Nothing is repaired: 1 of the missing rows have a key that the target holds outside its 'where', such as 1\. .*name under 'key'/,
    ],
    [
      'the key is there twice outside',
      "(1, 1, '2024-01-02', 9), (1, 1, '2024-01-03', 9)",
      {},
      /Nothing is repaired: .* no key \(id\) that is unique/,
    ],
  ] as const) {
    it(`writes nothing where ${name}`, async () => {
      const table = await fill("(1, 1, '2024-01-01', 1)", ofTarget);
      const before = await all(target, table);
      const sides = 'source' in more ? { source: { table, ...more.source }, target: { table, ...more.target } } : {};
      const error = await failureOf(repair(table, sides));
      assert.equal(error.type, 'DataMismatch');
      assert.match(error.message, message);
      assert.deepEqual(await all(target, table), before);
    });
  }
});
