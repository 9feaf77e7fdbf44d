import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { parseS3Uri } from '../../../lib/s3.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TestBucket } from '../../support/buckets.ts';
import type { TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { countsOf, createReconcileDatabases, type ReconcileDatabases } from '../../support/reconcile-databases.ts';

describe('reconcile with on_mismatch: repair', function () {
  this.timeout(60_000);
  let databases: ReconcileDatabases;
  let source: TestDatabase;
  let target: TestDatabase;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    databases = await createReconcileDatabases();
    ({ source, target, bucket } = databases);
  });
  after(() => databases.drop());

  const run: ReconcileDatabases['run'] = (params, more) => databases.run(params, more);
  const tables: ReconcileDatabases['tables'] = (...of) => databases.tables(...of);
  const values = (database: TestDatabase, name: string, columns: string, rows: string): Promise<unknown> =>
    database.rows(`CREATE TABLE ${name} (${columns}); INSERT INTO ${name} VALUES ${rows}`);
  const repairing = (table: string, more: JsonObject = {}): JsonObject => ({
    source: { table },
    target: { table },
    key: ['id'],
    on_mismatch: 'repair',
    report_to: `s3://${bucket.name}/repairs/${table}`,
    ...more,
  });
  const all = (database: TestDatabase, table: string): Promise<unknown> => database.rows(`SELECT * FROM ${table} ORDER BY 1, 2`);
  const fill = async (table: string): Promise<void> => {
    await tables(
      table,
      'id bigint PRIMARY KEY, name text, total numeric(12, 2), at timestamptz, raw bytea, active boolean',
      `SELECT i, E'it''s \\\\ ' || i, i * 1.5, timestamptz '2024-01-01 00:00:00.123456+00' + i * interval '1 minute', '\\xff00', i % 2 = 0
       FROM generate_series(1, 3000) AS i`,
      `SELECT i, CASE WHEN i % 1000 = 7 THEN NULL ELSE E'it''s \\\\ ' || i END, i * 1.5,
         timestamptz '2024-01-01 00:00:00.123456+00' + i * interval '1 minute', '\\xff00', i % 2 = 0
       FROM generate_series(1, 3003) AS i WHERE i % 3 <> 1 OR i = 7`,
    );
    await target.rows(
      `ALTER TABLE ${table} ADD loaded_by text DEFAULT 'loader'; UPDATE ${table} SET loaded_by = 'somebody' WHERE id > 3000`,
    );
  };

  for (const connection of ['target', 'redshift']) {
    it(`makes the target what the source is, and can be taken back (${connection})`, async () => {
      const table = `repaired_${connection}`;
      await fill(table);
      const before = await all(target, table);
      // Columns that are not compared come along with the rows that are missing.
      const result = await run(repairing(table, { target: { conn_id: connection, table }, columns: ['name', 'total'] }));
      assert.deepEqual(countsOf(result), [3_002, 3, 999, 2]);
      assert.deepEqual([result.discrepancy, result.repaired], [0, 1_004]);
      assert.match(result.summary, /^1,004 of 3,002 rows .* All 1,004 rows are repaired\. What takes it back: s3:/);
      const columns = 'id, name, total, at, raw, active';
      assert.deepEqual(
        await target.rows(`SELECT ${columns} FROM ${table} ORDER BY 1`),
        await source.rows(`SELECT ${columns} FROM ${table} ORDER BY 1`),
      );
      // What only the target has is left as it was.
      assert.deepEqual(await target.rows(`SELECT DISTINCT loaded_by FROM ${table} WHERE id % 1000 = 7`), [{ loaded_by: 'loader' }]);
      // It is written for Redshift, where a backslash escapes.
      await target.rows(`SET standard_conforming_strings = ${connection === 'redshift' ? 'off' : 'on'}`);
      await target.rows(await bucket.text(parseS3Uri(result.undo ?? '').key));
      await target.rows('RESET standard_conforming_strings');
      assert.deepEqual(await all(target, table), before);
    });
  }

  it('leaves alone what is within the tolerance, and what is beside the condition', async () => {
    await values(source, 'some_days', 'id int, day date, total int', "(1, '2024-01-01', 1), (2, '2024-01-01', 2)");
    await values(target, 'some_days', 'id int, day date, total int', "(1, '2024-01-01', 1), (2, '2024-01-01', 9), (3, '2024-01-02', 3)");
    const here = { table: 'some_days', where: "day = '2024-01-01'" };
    const tolerant = await run(repairing('some_days', { source: here, target: here, tolerance: '50%' }));
    assert.deepEqual([tolerant.differing, tolerant.repaired, tolerant.undo], [1, 0, null]);
    const result = await run(repairing('some_days', { source: here, target: here }));
    assert.equal(result.repaired, 1);
    assert.deepEqual(await target.rows('SELECT id, total FROM some_days ORDER BY 1'), [
      { id: 1, total: 1 },
      { id: 2, total: 2 },
      { id: 3, total: 3 },
    ]);
  });

  it('writes nothing where a key is there twice', async () => {
    await values(source, 'doubles', 'id int, total int', '(1, 1), (2, 2), (3, 3)');
    await values(target, 'doubles', 'id int, total int', '(1, 9), (2, 2), (2, 2)');
    const before = await all(target, 'doubles');
    const error = await failureOf(run(repairing('doubles')));
    assert.equal(error.type, 'DataMismatch');
    assert.match(error.message, /^Nothing is repaired: some of the rows that differ have no key \(id\) that is unique/);
    assert.deepEqual(await all(target, 'doubles'), before);
  });

  it('writes nothing where the target cannot hold the values', async () => {
    await values(source, 'narrow', 'id int, name text', "(1, 'abcdef'), (2, 'x')");
    await values(target, 'narrow', 'id int, name varchar(3)', "(1, 'abc'), (2, 'y')");
    const error = await failureOf(run(repairing('narrow')));
    assert.match(error.message, /^Nothing is repaired: 1 rows would still differ afterwards/);
    assert.deepEqual(await all(target, 'narrow'), [
      { id: 1, name: 'abc' },
      { id: 2, name: 'y' },
    ]);
  });

  it('writes nothing where the undo cannot be kept', async () => {
    await values(source, 'unkept', 'id int, total int', '(1, 1)');
    await values(target, 'unkept', 'id int, total int', '(1, 2)');
    await failureOf(run(repairing('unkept', { report_to: 's3://no-such-bucket-here/reports' })));
    assert.deepEqual(await all(target, 'unkept'), [{ id: 1, total: 2 }]);
  });

  it('refuses more than can be listed one by one', async () => {
    await tables('heap', 'id int, total int', 'SELECT i, 1 FROM generate_series(1, 10001) AS i', 'SELECT 1, 1 WHERE false');
    const error = await failureOf(run(repairing('heap')));
    assert.match(error.message, /^More than 10,000 rows differ: too many to repair one by one\. Load the target again/);
    assert.deepEqual(await all(target, 'heap'), []);
  });

  it('needs rows, a table and a place for what takes it back', async () => {
    const query = await failureOf(run(repairing('heap', { target: { query: 'SELECT 1 AS id' } })));
    assert.match(query.message, /needs compare: row and a target that is a table/);
    const tables = { source: { table: 'heap' }, target: { table: 'heap' } };
    assert.match((await failureOf(run({ ...tables, key: ['id'], on_mismatch: 'repair' }))).message, /needs 'report_to'/);
  });
});
