import assert from 'node:assert/strict';
import pg from 'pg';
import { after, before, beforeEach, afterEach, describe, it } from 'mocha';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { type RedshiftStandIn, startRedshiftStandIn, TEST_ROLE } from '../support/redshift-stand-in.ts';

/** What a test against a stand-in is worth depends on what the stand-in refuses. */
describe("Redshift's stand-in", () => {
  let database: TestDatabase;
  let bucket: TestBucket;
  let standIn: RedshiftStandIn;
  let client: pg.Client;

  before(async function () {
    this.timeout('20m');
    [database, bucket] = await Promise.all([createDatabase(), createBucket()]);
    standIn = await startRedshiftStandIn(database, bucket.connection);
    await database.rows('CREATE TABLE t (id integer, name varchar(20))');
    await bucket.put('d/a.csv', '1,\n2,""\n3,\\N\n');
    await bucket.put('d/manifest.json', JSON.stringify({ entries: [{ url: `s3://${bucket.name}/d/a.csv`, mandatory: true }] }));
  });
  after(async () => {
    await standIn.close();
    await Promise.all([database.drop(), bucket.drop()]);
  });
  beforeEach(async () => {
    client = new pg.Client({ connectionString: standIn.url.replace(/^redshift:(.*)\?.*$/, 'postgresql:$1') });
    await client.connect();
  });
  afterEach(() => client.end());

  const copy = (options: string): string =>
    `COPY t (id, name) FROM 's3://${bucket.name}/d/manifest.json' IAM_ROLE '${TEST_ROLE}' ${options} MANIFEST`;
  const names = async (): Promise<unknown[]> =>
    (await client.query<{ name: unknown }>('SELECT name FROM t ORDER BY id')).rows.map(({ name }) => name);

  for (const [options, expected] of [
    ["FORMAT AS CSV NULL AS ''", [null, '', '\\N']],
    ['CSV EMPTYASNULL', [null, '', null]],
    ['CSV', ['', '', null]],
  ] as const) {
    it(`loads NULL, '' and \\N as ${options} has them`, async () => {
      await client.query('BEGIN');
      await client.query(copy(options));
      assert.deepEqual(await names(), expected);
      await client.query('ROLLBACK');
      assert.deepEqual(await names(), []);
    });
  }

  for (const sql of [
    'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING',
    'CREATE TEMP TABLE x (id int) ON COMMIT DROP',
    'COPY t FROM STDIN',
    'DELETE FROM t RETURNING id',
    'LOCK TABLE t IN EXCLUSIVE MODE',
    'SELECT pg_advisory_xact_lock(1)',
    "SELECT to_regclass('t')",
    'SELECT now()',
    'TRUNCATE t',
    'CREATE TABLE x (doc jsonb)',
    'SELECT attidentity FROM pg_attribute',
  ]) {
    it(`refuses ${sql}, and the transaction with it`, async () => {
      await client.query('BEGIN');
      await assert.rejects(client.query(sql));
      await assert.rejects(client.query('SELECT 1'), /aborted/);
      await client.query('ROLLBACK');
      await assert.rejects(client.query({ text: sql, values: [] }));
      assert.equal((await client.query<{ one: number }>('SELECT $1::int AS one', [1])).rows[0]?.one, 1);
    });
  }

  for (const [what, sql, answer] of [
    ['an option it does not know', () => copy('CSV UPSERT'), /syntax error at or near "UPSERT"/],
    ['no authorization', () => copy('CSV').replace(/IAM_ROLE '[^']*'/, ''), /No authorization/],
    ['a manifest that is not there', () => copy('CSV').replace('manifest.json', 'other.json'), /Problem reading manifest.*NoSuchKey/],
  ] as const) {
    it(`answers to ${what} as Redshift does`, async () => {
      await assert.rejects(client.query(sql()), answer);
      assert.deepEqual(await names(), []);
    });
  }

  it('records in stl_load_errors what it failed on', async () => {
    await bucket.put('e/a.csv', '1,a\nx,b\n');
    await bucket.put('e/manifest.json', JSON.stringify({ entries: [{ url: `s3://${bucket.name}/e/a.csv`, mandatory: true }] }));
    await assert.rejects(client.query(copy('CSV').replace('/d/', '/e/')), /Check 'stl_load_errors'/);
    const { rows } = await client.query(
      'SELECT line_number, colname, raw_field_value FROM stl_load_errors WHERE session = pg_backend_pid()',
    );
    assert.deepEqual(rows, [{ line_number: '2', colname: 'id', raw_field_value: 'x' }]);
    assert.deepEqual(await names(), []);
  });

  it("has text of 256 bytes, as Redshift's", async () => {
    await client.query('CREATE TEMP TABLE short (a text)');
    await assert.rejects(client.query(`INSERT INTO short VALUES (repeat('x', 257))`), /too long/);
  });
});
