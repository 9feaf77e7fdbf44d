import assert from 'node:assert/strict';
import { createDemoData } from '../../dev/demo/demo-data.ts';
import { expectedDimension } from '../../dev/demo/product-categories.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { openPostgres, type PostgresConnection, type PostgresSession } from '../../lib/databases/postgres.ts';
import { testStack } from '../support/test-stack.ts';

const DAY = '2026-03-01';
const DATABASES = ['source', 'warehouse'].map((name) => `demo_${name}_${process.pid}`);

describe('dev/demo-data', function () {
  this.timeout(60_000);
  let admin: PostgresSession;
  let source: PostgresConnection;
  let warehouse: PostgresConnection;

  before(async function () {
    this.timeout(600_000);
    const { environment } = await testStack(['postgres']);
    const connection = connectionsFrom(environment).get('postgres_default', ['postgres']);
    admin = await openPostgres(connection, 'test', AbortSignal.timeout(600_000));
    for (const database of DATABASES) await admin.client.query(`CREATE DATABASE ${database}`);
    source = { ...connection, database: DATABASES[0] ?? '' };
    warehouse = { ...connection, database: DATABASES[1] ?? '' };
  });
  after(async () => {
    for (const database of DATABASES) await admin.client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await admin.close();
  });

  it('is made once, also by two starts at once, and is the same each time', async () => {
    const made = await Promise.all([1, 2].map(() => createDemoData({ source, warehouse, rows: 20_000, day: DAY })));
    const whole = { categories: 20_000, sales: 4_000 };
    assert.deepEqual(made, [whole, whole]);
    assert.deepEqual(await createDemoData({ source, warehouse, rows: 5, day: DAY }), whole);
    assert.deepEqual(await rowsOf(warehouse, 'SELECT * FROM dim_product_categories'), []);
  });

  it('has sales of each day that it was made for, of which the warehouse lacks some and has some wrong', async () => {
    const next = '2026-03-02';
    assert.equal((await createDemoData({ source, warehouse, rows: 5, day: next })).sales, 8_000);
    const ofNext = `SELECT sale_id, total FROM $ WHERE sold_at >= timestamptz '${next} 00:00+00' ORDER BY sale_id`;
    const [sold, loaded] = [await rowsOf(source, ofNext.replace('$', 'sales')), await rowsOf(warehouse, ofNext.replace('$', 'fact_sales'))];
    const totals = new Map(loaded.map((row) => [row.sale_id, row.total]));
    assert.deepEqual([sold.length, loaded.length], [4_000, 3_992]);
    assert.equal(sold.filter((row) => totals.has(row.sale_id) && totals.get(row.sale_id) !== row.total).length, 4);
  });

  it('holds what breaks naive exports', async () => {
    const [counts] = await rowsOf(
      source,
      `SELECT count(*) FILTER (WHERE description IS NULL) > 0 AS null, count(*) FILTER (WHERE description = '') > 0 AS empty,
         count(*) FILTER (WHERE category_name LIKE '%"%') > 0 AS quote, count(*) FILTER (WHERE category_name LIKE E'%\\n%') > 0 AS newline,
         count(*) FILTER (WHERE category_name LIKE E'%\\r\\n%') > 0 AS crlf, count(*) FILTER (WHERE category_name LIKE '%🎉%') > 0 AS emoji,
         count(*) FILTER (WHERE category_name LIKE ' %') > 0 AS padded, count(*) FILTER (WHERE category_name LIKE '%\\\\%') > 0 AS backslash,
         count(*) FILTER (WHERE extract(microseconds FROM updated_at)::bigint % 1000 <> 0) > 0 AS microseconds
       FROM product_categories`,
    );
    assert.ok(Object.values(counts ?? { none: false }).every(Boolean), JSON.stringify(counts));
  });

  it('expects one row for each category, and roots where the data is wrong', async () => {
    const rows = await rowsOf(source, expectedDimension);
    assert.equal(rows.length, 20_000);
    const byId = new Map(rows.map((row) => [row.category_id, row]));
    const short = (id: string) => [byId.get(id)?.root_category_id, byId.get(id)?.category_level, byId.get(id)?.category_path];
    assert.deepEqual(short('1'), ['1', 1, 'Electronics']);
    assert.deepEqual(short('21'), ['1', 2, 'Electronics > Handmade 21']);
    assert.deepEqual(short('30').slice(0, 2), ['30', 1]);
    assert.deepEqual(short('24').slice(0, 2), ['24', 1]);
    assert.deepEqual(short('300').slice(0, 2), ['24', 2]);
    assert.deepEqual(short('500').slice(0, 2), ['500', 1]);
  });
});

async function rowsOf(connection: PostgresConnection, sql: string): Promise<Record<string, unknown>[]> {
  const session = await openPostgres(connection, 'test', AbortSignal.timeout(60_000));
  try {
    return (await session.client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await session.close();
  }
}
