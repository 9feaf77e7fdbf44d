import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { after, before, describe, it } from 'mocha';
import { reconcile } from '../../../activities/reconcile.ts';
import { ROOT } from '../../../lib/environment.ts';
import { parseS3Uri } from '../../../lib/s3.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { type BagRow, comparedBags, drawing } from '../../support/bags.ts';
import type { TestBucket } from '../../support/buckets.ts';
import type { TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { exportTable } from '../../support/export-table.ts';
import { failureOf } from '../../support/failure-of.ts';
import { createOddTable, fillOddTable, ODD_COLUMN, ODD_TABLE } from '../../support/odd-data.ts';
import { countsOf, createReconcileDatabases, type ReconcileDatabases } from '../../support/reconcile-databases.ts';
import { putDataset, putDatasetFile } from '../../support/s3-dataset.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

describe('reconcile with a dataset', function () {
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

  const lake = (dataset: string, more: JsonObject = {}): JsonObject => ({ conn_id: 'aws_default', dataset, ...more });
  const run: ReconcileDatabases['run'] = (params, more) => databases.run({ on_mismatch: 'warn', ...params }, more);
  const exported = (table: string, more?: JsonObject): Promise<string> => exportTable(source, bucket, table, more);

  it('ten planted differences among 100,000 rows, each by its row, exactly at the border of the tolerance', async () => {
    await databases.tables(
      'planted',
      'id bigint, name text, total numeric(12,2)',
      `SELECT i, 'c' || i, i * 1.5 FROM generate_series(1, 99998) AS i`,
      `SELECT i, CASE WHEN i IN (3, 50000) THEN 'C' ELSE 'c' END || i, i * 1.5 + CASE WHEN i IN (1, 99998, 77, 78) THEN 0.01 ELSE 0 END
       FROM generate_series(1, 100000) AS i WHERE i NOT IN (10, 20000)`,
    );
    const dataset = await exported('planted', { max_rows_per_file: 30_000 });
    const task = { source: lake(dataset), target: { table: 'planted' }, on_mismatch: 'fail', report_to: `s3://${bucket.name}/reports` };
    for (const key of [['id'], ['name']]) {
      const by = await run({ ...task, key, on_mismatch: 'warn' });
      assert.deepEqual(countsOf(by), key[0] === 'id' ? [100_000, 6, 2, 2] : [100_002, 4, 4, 4]);
    }
    const result = await run({ ...task, key: ['id'], tolerance: '0.01%' });
    assert.equal(result.discrepancy, 0.0001);
    const lines = (await bucket.text(parseS3Uri(result.report ?? '').key)).trimEnd().split('\n');
    assert.deepEqual(lines.slice(1).sort(), [
      'changed,1,total,1.50,1.51',
      'changed,3,name,c3,C3',
      'changed,50000,name,c50000,C50000',
      'changed,77,total,115.50,115.51',
      'changed,78,total,117.00,117.01',
      'changed,99998,total,149997.00,149997.01',
      'extra,100000,,,',
      'extra,99999,,,',
      'missing,10,,,',
      'missing,20000,,,',
    ]);
    const more = await failureOf(run({ ...task, key: ['id'], tolerance: '0.00999%' }));
    assert.match(more.message, /^10 of 100,000 rows of s3:\/\/\S+\/planted\/\S+ \(aws_default\) and planted \(target\) differ: 0\.01 %/);
  });

  it('30 times what the test itself finds, for any rows, in either direction', async () => {
    const texts = ['', ' ', 'a', 'A', '"', '""', 'a,b', 'a\nb', '\r', '\\N', "it's", 'ë', 'e\u0308', 'NULL', '-'];
    const kinds = [
      { type: 'bigint', value: (n: number) => [String(n * 1e9), String(n)] },
      { type: 'text', value: (n: number) => [`$q$${texts[n % texts.length]}$q$`, texts[n % texts.length]] },
      { type: 'numeric(12,3)', value: (n: number) => [`-${n}.${n % 3}`, `${n}.${n % 3}`] },
      { type: 'date', value: (n: number) => [`date '2024-01-01' + ${n % 9}`, String(n % 9)] },
      { type: 'timestamptz', value: (n: number) => [`'1850-01-01 00:00:0${n % 9}.${n}+05'`, `${n % 9}.${Number(`0.${n}`)}`] },
      { type: 'boolean', value: (n: number) => [String(n % 2 === 0), String(n % 2)] },
      { type: 'bytea', value: (n: number) => [`'\\x0${n % 9}'`, String(n % 9)] },
    ] as const;
    const draw = drawing(11);
    const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
    for (let round = 0; round < 30; round += 1) {
      const keyColumns = 1 + draw(2);
      const all = Array.from({ length: keyColumns + draw(4) }, () => pick(kinds));
      const range = pick([3, 20, 400]);
      const row = () => all.map(({ value }) => (draw(12) === 0 ? (['NULL', null] as const) : value(draw(range))));
      const common = Array.from({ length: 1 + draw(200) }, row);
      const [one, other] = [[...common], [...common]];
      for (let change = draw(6); change > 0; change -= 1) pick([one, other]).push(row());
      const sql = (rows: readonly ReturnType<typeof row>[]): string =>
        `VALUES ${rows.map((values) => `(${values.map(([text]) => text).join(', ')})`).join(', ')}`;
      const name = `random_${round}`;
      await databases.tables(name, all.map(({ type }, index) => `c${index} ${type}`).join(', '), sql(one), sql(other));
      const there = lake(await exported(name));
      const bag = (rows: readonly ReturnType<typeof row>[]): BagRow[] => rows.map((values) => values.map(([, text]) => text ?? null));
      const forth = round % 2 === 0;
      const sides = forth ? { source: there, target: { table: name } } : { source: { conn_id: 'target', table: name }, target: there };
      const result = await run({ ...sides, key: all.slice(0, keyColumns).map((_, index) => `c${index}`) });
      const expected = forth ? comparedBags(bag(one), bag(other), keyColumns) : comparedBags(bag(other), bag(one), keyColumns);
      assert.deepEqual(countsOf(result), expected, `round ${round}: ${all.map(({ type }) => type).join(', ')}`);
    }
  });

  it('odd values and odd names come back as they are', async () => {
    await createOddTable(source, ODD_TABLE);
    const rows = await fillOddTable(source, ODD_TABLE);
    const dataset = await exportTable(source, bucket, quoted(ODD_TABLE));
    const columns = [ODD_COLUMN, 'small', 'big', 'amount', 'flag', 'day', 'at', 'at_zone', 'raw', 'uid'];
    const task = { source: lake(dataset), target: { conn_id: 'source', table: quoted(ODD_TABLE) }, columns };
    assert.deepEqual(countsOf(await run({ ...task, key: ['id'] })), [rows, 0, 0, 0]);
    assert.deepEqual(countsOf(await run({ ...task, key: ['id', ODD_COLUMN] })), [rows, 0, 0, 0]);
    assert.deepEqual(countsOf(await run({ source: lake(dataset), target: lake(dataset), key: ['id'] })), [rows, 0, 0, 0]);
  });

  it('Parquet, with a condition', async () => {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'part.parquet');
    const duckdb = await DuckDBInstance.create(':memory:');
    const connection = await duckdb.connect();
    await connection.run(`COPY (SELECT i AS id, 'ë' || i AS name, (i * 1.5)::DECIMAL(12,2) AS total, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS at,
      '\\x00'::BLOB AS raw, i / 3 AS ratio FROM range(1, 1001) AS r(i)) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 300)`);
    connection.closeSync();
    duckdb.closeSync();
    const schema = [
      ['id', 'bigint'],
      ['name', 'text'],
      ['total', 'numeric(12,2)'],
      ['at', 'timestamp with time zone'],
      ['raw', 'bytea'],
      ['ratio', 'double precision'],
    ].map(([name = '', type = '']) => ({ name, type }));
    const uri = `s3://${bucket.name}/parquet/`;
    await putDatasetFile(bucket.client, uri, { name: 'part-00000.parquet', body: await readFile(file), rows: 1000 }, 'parquet', schema);
    await folder.remove();
    await target.rows(`CREATE TABLE parquet (id int, name text, total numeric(12,3), at timestamptz, raw bytea, ratio float8);
      INSERT INTO parquet SELECT i, 'ë' || i, i * 1.5, '2024-01-01 01:00:00+01', '\\x00', i / 3.0 FROM generate_series(1, 1000) AS i;
      UPDATE parquet SET total = 0 WHERE id IN (5, 500)`);
    const task = { source: lake(uri), target: { table: 'parquet' }, key: ['id'], normalize: { ratio: { scale: 6 } } };
    assert.deepEqual(countsOf(await run(task)), [1000, 2, 0, 0]);
    const part = { ...task, source: lake(uri, { where: "id < 100 AND name LIKE 'ë%'" }), target: { table: 'parquet', where: 'id < 100' } };
    assert.deepEqual(countsOf(await run(part)), [99, 1, 0, 0]);
  });

  it('by group, by number, and without what came later', async () => {
    await databases.tables(
      'sales',
      'id int, day date, region text, total numeric(10,2), updated_at timestamptz',
      `VALUES (1, '2024-01-01', 'eu', 1.50, '2024-01-01'), (2, '2024-01-01', 'EU', 2, '2024-01-01'), (3, NULL, 'us', 3, '2024-01-03')`,
      `VALUES (1, '2024-01-01', 'eu', 1.50, '2024-01-01'), (2, '2024-01-01', 'EU', 9, '2024-01-03'), (4, NULL, 'us', 4, '2024-01-01')`,
    );
    const sides = { source: lake(await exported('sales')), target: { table: 'sales' } };
    const aggregates = ['count(*)', 'sum(total)', 'min(region)', 'max(day)', 'distinct(region)'];
    const grouped = { ...sides, compare: 'aggregate', aggregates };
    assert.deepEqual(countsOf(await run({ ...grouped, key: ['day'] })), [2, 2, 0, 0]);
    assert.deepEqual(countsOf(await run({ ...grouped, key: ['region'] })), [3, 2, 0, 0]);
    assert.deepEqual(countsOf(await run({ ...sides, compare: 'count' })), [3, 0, 0, 0]);
    const late = { as_of: { column: 'updated_at' } };
    assert.deepEqual(countsOf(await run({ ...sides, ...late, key: ['id'] })), [2, 0, 0, 1]);
    assert.deepEqual(countsOf(await run({ ...sides, ...late, compare: 'count' })), [2, 0, 0, 0]);
    // A day that is late as a whole: of both sides or of none.
    const byDay = { as_of: { column: 'day', time: '2024-01-01T12:00:00Z' } };
    assert.deepEqual(countsOf(await run({ ...sides, ...byDay, key: ['id'] })), [2, 0, 1, 1]);
  });

  it('repairs a table from a dataset, and refuses the other way when the file is checked', async () => {
    await databases.tables(
      'repaired',
      'id int, name text, raw bytea, at timestamptz, total numeric(12,2)',
      `SELECT i, 'it''s \\ë ' || i, '\\x00ff', '2024-07-01 10:00:00.5+00', i FROM generate_series(1, 20) AS i`,
      `SELECT i, 'x', NULL, NULL, i FROM generate_series(15, 25) AS i`,
    );
    const repair = { key: ['id'], on_mismatch: 'repair', report_to: `s3://${bucket.name}/repairs` };
    const dataset = await exported('repaired');
    const result = await run({ source: lake(dataset), target: { table: 'repaired' }, ...repair });
    assert.deepEqual([...countsOf(result), result.repaired], [25, 6, 14, 5, 25]);
    const rows = 'SELECT id, name, raw, at::text, total FROM repaired ORDER BY id';
    assert.deepEqual(await target.rows(rows), await source.rows(rows));
    const params = { source: { conn_id: 'source', table: 'repaired' }, target: { conn_id: 'aws_default', dataset }, ...repair };
    const [mistake, ...others] = reconcile.mistakes?.(params) ?? [];
    assert.deepEqual(others, []);
    assert.match(`${mistake?.message} ${mistake?.hint}`, /writes rows into a table, but the target is a dataset.*fail, warn or approve/);
  });

  it('reports what is wrong', async () => {
    const dataset = await exported('sales');
    const data = (rows: (string | null)[][], columns: readonly string[]): Promise<{ uri: string }> =>
      putDataset(
        bucket.client,
        `s3://${bucket.name}/by-hand-${(made += 1)}/`,
        columns.map((type, index) => ({ name: `c${index}`, type })),
        rows,
      );
    let made = 0;
    const [broken, ragged, nameless, unbounded] = await Promise.all([
      data([['1'], ['many']], ['bigint']),
      data([['1', '2'], ['3']], ['bigint', 'bigint']),
      data([['1']], []),
      data([['1']], ['numeric']),
    ]);
    await source.rows('CREATE TABLE damaged (id int); INSERT INTO damaged VALUES (1)');
    const damaged = await exported('damaged');
    for (const key of await bucket.keys('damaged/')) if (key.endsWith('.gz')) await bucket.put(key, 'something else');
    const mine = (from: JsonObject, more: JsonObject = {}) =>
      failureOf(run({ source: from, target: { table: 'sales' }, key: ['id'], ...more }));
    const { secret_access_key: secret = '' } = bucket.connection;
    const cases = [
      [
        lake(`s3://${bucket.name}/nowhere`),
        'DatasetNotFound',
        /There is no dataset at s3:\/\/\S+\/nowhere\/manifest\.json \(connection 'aws_default'\)/,
      ],
      [lake('s3://no-such-bucket-here/x'), 'BucketNotFound', /There is no bucket 'no-such-bucket-here'/],
      [lake('sales'), 'InvalidParameters', /source\.dataset: must match pattern "\^s3:/],
      [{ conn_id: 'source', dataset }, 'ConnectionNotDefined', /'source' is of type postgres; this task needs aws/],
      [{ conn_id: 'aws_default', table: 'sales' }, 'ConnectionNotDefined', /of type aws; this task needs postgres or redshift or mysql/],
      [lake(dataset, { table: 'sales' }), 'InvalidParameters', /'source' needs either 'table', 'query' or 'dataset'/],
      [lake(dataset, { where: 'regoin = 1' }), 'ColumnNotFound', /Referenced column "regoin" not found.*"region"/],
      [lake(dataset, { where: '1 = 1) OR (1 = 1' }), 'QueryFailed', /'where' is not one condition that can be read/],
      [lake(dataset, { where: '1 = 1; DROP TABLE dataset' }), 'QueryFailed', /'where' is not one condition/],
      [lake(dataset, { where: "id IN (SELECT 1 FROM read_csv('/etc/passwd'))" }), 'QueryFailed', /file system operations are disabled/],
      [lake(broken.uri), 'DataDoesNotFit', /by-hand-\S+ is not csv of the columns that its manifest names: .*'many'/],
      [lake(ragged.uri), 'DataDoesNotFit', /is not csv of the columns that its manifest names/],
      [lake(nameless.uri), 'InvalidParameters', /lists no columns/],
      [lake(damaged), 'DatasetChanged', /has checksum .* and its manifest says/],
    ] as const;
    for (const [from, type, message] of cases) {
      const error = await mine(from);
      assert.equal(error.type, type, error.message);
      assert.match(error.message, message);
    }
    const sums = { source: lake(unbounded.uri), target: lake(unbounded.uri), compare: 'aggregate', aggregates: ['sum(c0)'] };
    const sum = await failureOf(run(sums));
    assert.match(sum.message, /Column 'c0' of the dataset is numeric: sum, min and max need a type of at most 38 digits/);
    assert.match((await mine(lake(dataset), { key: ['dya'] })).message, /has no column 'dya'\. Did you mean 'day'\?/);
    const environment = {
      SLUICE_CONN_TARGET: target.url,
      SLUICE_CONN_AWS_DEFAULT: bucket.url.replace(encodeURIComponent(secret), 'wrong').replace(secret, 'wrong'),
    };
    const denied = await failureOf(run({ source: lake(dataset), target: { table: 'sales' }, key: ['id'] }, { environment }));
    assert.equal(denied.type, 'AccessDenied', denied.message);
  });

  it('leaves no file behind, whether it is done, has failed or is cancelled', async () => {
    const { TMPDIR = tmpdir() } = process.env;
    const { path: folder, remove } = await temporaryFolder();
    process.env.TMPDIR = folder;
    try {
      const task = { source: lake(await exported('sales')), target: { table: 'sales' }, key: ['id'] };
      await run(task);
      await failureOf(run({ ...task, key: ['dya'] }));
      const endless = lake(await exported('sales'), { where: '(SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b) > 0' });
      // What the data set is at has no end when the database fails.
      const failing = { table: 'sales', where: '1 / (id - id) = 1' };
      const error = await failureOf(run({ source: endless, target: failing, compare: 'count' }));
      assert.match(error.message, /division by zero/);
      let cancel: (() => void) | undefined;
      const slow = run({ ...task, source: endless }, { onProgress: (_, stop) => (cancel = stop) });
      const ended = assert.rejects(slow, { name: 'CancelledFailure' });
      await eventually(async () => assert.equal((await readdir(folder)).length, 1));
      cancel?.();
      await ended;
      assert.deepEqual(await readdir(folder), []);
    } finally {
      process.env.TMPDIR = TMPDIR;
      await remove();
    }
  });

  it('is not loaded by a worker that compares nothing else than databases', async () => {
    const script = `await import('./activities/catalog.ts'); await import('./activities/reconcile/reconcile.ts');
      await import('./activities/reconcile/sides/postgres.ts');
      console.log(process.report.getReport().sharedObjects.filter((name) => name.includes('duckdb')).length)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { cwd: ROOT });
    assert.equal(stdout.trim(), '0');
  });
});
