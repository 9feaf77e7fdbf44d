import assert from 'node:assert/strict';
import type { ApplicationFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { parseS3Uri } from '../../../lib/s3.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TestBucket } from '../../support/buckets.ts';
import type { TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../../support/failure-of.ts';
import type { TestMySQLDatabase } from '../../support/mysql-databases.ts';
import { ODD_COLUMN, ODD_TABLE } from '../../support/odd-data.ts';
import { countsOf } from '../../support/reconcile-databases.ts';
import { createShopAndWarehouse, mysqlText, postgresText, sameTable, type ShopAndWarehouse } from '../../support/reconcile-mysql.ts';
import type { TaskRun } from '../../support/run-task.ts';

describe('reconcile with MySQL', function () {
  this.timeout(60_000);
  let both: ShopAndWarehouse;
  let mysql: TestMySQLDatabase;
  let postgres: TestDatabase;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    both = await createShopAndWarehouse();
    ({ mysql, postgres, bucket } = both);
  });
  after(() => both.drop());

  const run: ShopAndWarehouse['run'] = (params, more) => both.run(params, more);
  const fill: ShopAndWarehouse['fill'] = (...of) => both.fill(...of);

  it('ten planted differences among 1,000 rows, each by its row, exactly at the border of the tolerance', async () => {
    await mysql.rows(
      'CREATE TABLE planted (id int, name varchar(20), total decimal(12,2))',
      "INSERT INTO planted SELECT seq, CONCAT('c', seq), seq * 1.5 FROM seq_1_to_998",
    );
    await postgres.rows(`CREATE TABLE planted (id bigint, name text, total numeric(12,2));
      INSERT INTO planted SELECT i, CASE WHEN i IN (3, 500) THEN 'C' ELSE 'c' END || i, i * 1.5 + CASE WHEN i IN (1, 998, 77, 78) THEN 0.01 ELSE 0 END
      FROM generate_series(1, 1000) AS i WHERE i NOT IN (10, 20)`);
    const task = { ...sameTable('planted'), key: ['id'], on_mismatch: 'fail', report_to: `s3://${bucket.name}/planted` };
    const result = await run({ ...task, tolerance: '1%' });
    assert.deepEqual([...countsOf(result), result.discrepancy], [1000, 6, 2, 2, 0.01]);
    const lines = (await bucket.text(parseS3Uri(result.report ?? '').key)).trimEnd().split('\n');
    assert.deepEqual(lines.slice(1).sort(), [
      'changed,1,total,1.50,1.51',
      'changed,3,name,c3,C3',
      'changed,500,name,c500,C500',
      'changed,77,total,115.50,115.51',
      'changed,78,total,117.00,117.01',
      'changed,998,total,1497.00,1497.01',
      'extra,1000,,,',
      'extra,999,,,',
      'missing,10,,,',
      'missing,20,,,',
    ]);
    assert.match((await failureOf(run({ ...task, tolerance: '0.999%' }))).message, /^10 of 1,000 rows .* differ: 1 %, tolerated 0\.999%/);
  });

  it('names of tables and columns are names, with any characters', async () => {
    const [table, column] = [`${ODD_TABLE}\``, `${ODD_COLUMN} \`b\``];
    const quoted = (name: string, mark: string): string => mark + name.replaceAll(mark, mark + mark) + mark;
    await mysql.rows(
      'CREATE TABLE x (id int)',
      `CREATE TABLE ${quoted(table, '`')} (${quoted(column, '`')} int)`,
      `INSERT INTO ${quoted(table, '`')} VALUES (1), (2)`,
    );
    await postgres.rows(`CREATE TABLE x (id int); CREATE TABLE odd (${quoted(column, '"')} int); INSERT INTO odd VALUES (1), (3)`);
    const sides = { source: { table: quoted(table, '"') }, target: { table: 'odd' } };
    assert.deepEqual(countsOf(await run({ ...sides, key: [column] })), [3, 0, 1, 1]);
    const grouped = { ...sides, compare: 'aggregate', aggregates: [`max(${column})`, `sum(${column})`] };
    assert.deepEqual(countsOf(await run(grouped)), [1, 1, 0, 0]);
    assert.deepEqual(countsOf(await run({ ...sameTable('x'), key: ['id'] })), [0, 0, 0, 0]);
  });

  it('keys that MySQL takes for the same are not, and what is there twice must be there twice', async () => {
    const rows = "('a', 1), ('A', 2), ('a ', 3), ('ä', 4), ('b', 5), ('b', 5), (NULL, 6)";
    await fill(
      'likeness',
      ['id varchar(9), v int', rows],
      ['id text, v int', rows.replace("('b', 5), ", '').replace('(NULL, 6)', '(NULL, 7)')],
    );
    assert.deepEqual(countsOf(await run({ ...sameTable('likeness'), key: ['id'] })), [7, 1, 1, 0]);
  });

  it('compares two MySQL tables, including types that only they have', async () => {
    const columns = 'id bigint unsigned, at time, doc json, f float, y year, g point';
    const rows = `(18446744073709551615, '-12:00:00', '{"a": 1}', 0.1, 2024, POINT(1, 2)), (NULL, NULL, NULL, NULL, NULL, NULL)`;
    for (const name of ['mine', 'yours']) await mysql.rows(`CREATE TABLE ${name} (${columns})`, `INSERT INTO ${name} VALUES ${rows}`);
    const task = { source: { table: 'mine' }, target: { conn_id: 'shop', table: 'yours' }, key: ['id'] };
    assert.deepEqual(countsOf(await run(task)), [2, 0, 0, 0]);
    await mysql.rows("UPDATE yours SET at = '12:00:00', f = 0.10000001");
    assert.deepEqual(countsOf(await run(task)), [2, 2, 0, 0]);
  });

  it('many rows: by ranges of a key and by buckets, with a condition and a time', async () => {
    const rows = (late: string, other: string): string => `SELECT seq, CONCAT('k', seq), seq * 1.5, ${late}, ${other} FROM seq_1_to_30000`;
    await mysql.rows(
      'CREATE TABLE orders (id bigint PRIMARY KEY, code varchar(20), total decimal(12,2), updated_at timestamp NULL, status varchar(9))',
      `INSERT INTO orders ${rows("IF(seq = 9, '2024-02-01', '2024-01-01')", "'paid'")}`,
      'UPDATE orders SET total = 0 WHERE id IN (9, 10000)',
      'DELETE FROM orders WHERE id = 20000',
    );
    await postgres.rows(`CREATE TABLE orders (id bigint PRIMARY KEY, code text, total numeric(12,2), updated_at timestamptz, status text);
      INSERT INTO orders SELECT i, 'k' || i, i * 1.5, '2024-01-01', 'paid' FROM generate_series(1, 30000) AS i`);
    const late = { as_of: { column: 'updated_at' } };
    for (const key of ['id', 'code']) {
      const result = await run({ source: { table: 'orders', where: 'status = "paid"' }, target: { table: 'orders' }, key: [key], ...late });
      assert.deepEqual(countsOf(result), [29_999, 1, 0, 1]);
    }
    const query = `SELECT id, total FROM ${mysql.name}.orders WHERE id < 100;`;
    const part = { source: { query }, target: { table: 'orders', where: 'id < 100' }, key: ['id'] };
    assert.deepEqual(countsOf(await run(part)), [99, 1, 0, 0]);
  });

  it('by group, and by number', async () => {
    const rows = "('2024-01-01', 'eu', 1.50), ('2024-01-01', 'EU', 2.50), ('2024-01-01', 'us', 3), (NULL, 'eu', 1)";
    await fill('sales', ['day date, region varchar(9), total decimal(10,2)', rows], ['day date, region text, total numeric(10,2)', rows]);
    const grouped = {
      ...sameTable('sales'),
      compare: 'aggregate',
      aggregates: ['count(*)', 'sum(total)', 'min(region)', 'max(region)', 'distinct(region)'],
    };
    assert.deepEqual(countsOf(await run({ ...grouped, key: ['region'] })), [3, 0, 0, 0]);
    assert.deepEqual(countsOf(await run({ ...grouped, key: ['day'] })), [2, 0, 0, 0]);
    assert.deepEqual(countsOf(await run(grouped)), [1, 0, 0, 0]);
    await postgres.rows("UPDATE sales SET total = 9 WHERE region = 'EU'; INSERT INTO sales VALUES (NULL, NULL, 1)");
    assert.deepEqual(countsOf(await run({ ...grouped, key: ['region'] })), [4, 1, 0, 1]);
    assert.deepEqual(countsOf(await run({ ...sameTable('sales'), compare: 'count' })), [5, 0, 0, 1]);
  });

  it('repairs a PostgreSQL table from MySQL, and not the other way', async () => {
    const columns = (text: string, boolean: string, bytes: string, time: string): string =>
      `id int PRIMARY KEY, name ${text}, active ${boolean}, raw ${bytes}, at ${time}`;
    await fill(
      'customers',
      [
        columns('varchar(20)', 'tinyint(1)', 'varbinary(9)', 'timestamp NULL'),
        `(1, ${mysqlText('\\ ë')}, 1, x'00ff', '2024-07-01 10:00:00'), (2, 'b', NULL, NULL, NULL)`,
      ],
      [columns('text', 'boolean', 'bytea', 'timestamptz'), "(1, 'a', false, NULL, NULL), (3, 'c', true, NULL, NULL)"],
    );
    const repair = {
      ...sameTable('customers'),
      key: ['id'],
      normalize: { active: { boolean: true } },
      on_mismatch: 'repair',
      report_to: `s3://${bucket.name}/repairs`,
    };
    const before = await postgres.rows('SELECT * FROM customers ORDER BY id');
    const result = await run(repair);
    assert.deepEqual([...countsOf(result), result.repaired], [3, 1, 1, 1, 3]);
    assert.deepEqual(await postgres.rows("SELECT id, name, active, encode(raw, 'hex') AS raw, at::text FROM customers ORDER BY id"), [
      { id: 1, name: '\\ ë', active: true, raw: '00ff', at: '2024-07-01 10:00:00+00' },
      { id: 2, name: 'b', active: null, raw: null, at: null },
    ]);
    await postgres.rows(await bucket.text(parseS3Uri(result.undo ?? '').key));
    assert.deepEqual(await postgres.rows('SELECT * FROM customers ORDER BY id'), before);
    const error = await failureOf(
      run({ ...repair, source: { conn_id: 'warehouse', table: 'customers' }, target: { conn_id: 'shop', table: 'customers' } }),
    );
    assert.equal(error.type, 'InvalidParameters');
    assert.match(error.message, /writes into PostgreSQL and Redshift, and connection 'shop' is mysql/);
  });

  it('reports what is wrong, as with PostgreSQL', async () => {
    await fill('things', ['id int, name varchar(9)', "(1, 'a')"], ['id int, name text', "(1, 'a')"]);
    const mine = (source: JsonObject, more: Partial<TaskRun> = {}) =>
      failureOf(run({ source: { table: 'things', ...source }, target: { table: 'things' }, key: ['id'] }, more));
    const elsewhere = (url: string) => ({ environment: { SLUICE_CONN_SHOP: url, SLUICE_CONN_WAREHOUSE: postgres.url } });
    const cases: readonly (readonly [Promise<ApplicationFailure>, string, RegExp])[] = [
      [mine({ table: 'thing' }), 'TableNotFound', /There is no table 'thing' at .* \(connection 'shop'\)\. Did you mean 'things'\?/],
      [mine({ where: 'nme = 1' }), 'ColumnNotFound', /Unknown column 'nme'/],
      [mine({ where: '1) OR (1' }), 'QueryFailed', /'where' is not one SELECT that can be read/],
      [
        failureOf(run({ source: { query: 'SELECT 1; DROP TABLE things' }, target: { table: 'things' }, key: ['id'] })),
        'QueryFailed',
        /'query' is not one SELECT/,
      ],
      [
        failureOf(run({ source: { query: 'DELETE FROM things' }, target: { table: 'things' }, key: ['id'] })),
        'QueryFailed',
        /A task that reads runs read only/,
      ],
      [
        failureOf(run({ ...sameTable('things'), key: ['nme'] })),
        'ColumnNotFound',
        /things \(shop\) has no column 'nme'\. Did you mean 'name'\? It has: id, name\./,
      ],
      [
        mine({}, elsewhere(mysql.url.replace(/:[^:@]+@/, ':wrong@'))),
        'AccessDenied',
        /does not let user 'sluice' in: check user and password of connection 'shop'/,
      ],
      [mine({}, elsewhere(mysql.url.replace(/[^/]+$/, 'nowhere'))), 'ConnectionNotDefined', /names a database that .* does not have/],
      [
        mine({}, elsewhere(mysql.url.replace(/:\d+\//, ':1/'))),
        'MySQLUnavailable',
        /cannot be reached or broke off: .*ECONNREFUSED.* will try again/,
      ],
      [
        mine({}, elsewhere(`${mysql.url}?sslmode=require`)),
        'AccessDenied',
        /no encrypted connection to .* Set sslmode of connection 'shop'/,
      ],
    ];
    for (const [failure, type, message] of cases) {
      const error = await failure;
      assert.equal(error.type, type, error.message);
      assert.match(error.message, message);
    }
    assert.deepEqual(await mysql.rows('SELECT name FROM things'), [{ name: 'a' }]);
  });

  it('a backslash in a literal is a letter, so that what Sluice has quoted stays text', async () => {
    await fill(
      'slashes',
      ['id int, name varchar(9)', `(1, ${mysqlText("\\' #")}), (2, 'b')`],
      ['id int, name text', `(1, ${postgresText("\\' #")})`],
    );
    const task = { source: { table: 'slashes', where: "name = '\\'' #'" }, target: { table: 'slashes' }, key: ['id'] };
    assert.deepEqual(countsOf(await run(task)), [1, 0, 0, 0]);
  });

  it('a task that is cancelled leaves no statement behind', async () => {
    await mysql.rows('CREATE TABLE slow (id int)', 'INSERT INTO slow VALUES (1)');
    await postgres.rows('CREATE TABLE slow (id int)');
    const sleeping = async (): Promise<number> =>
      (await mysql.rows("SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(50)%' AND info NOT LIKE '%processlist%'"))
        .length;
    let cancel: (() => void) | undefined;
    const task = run(
      { source: { query: 'SELECT id FROM slow WHERE SLEEP(50) = 0' }, target: { table: 'slow' }, compare: 'count' },
      { onProgress: (_, stop) => (cancel = stop) },
    );
    const ended = assert.rejects(task, { name: 'CancelledFailure' });
    await eventually(async () => assert.equal(await sleeping(), 1));
    cancel?.();
    await ended;
    await eventually(async () => assert.equal(await sleeping(), 0));
  });
});
