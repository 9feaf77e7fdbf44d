import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { sqlCheck } from '../../activities/sql-check.ts';
import type { CheckOutcome } from '../../activities/sql-check/run-checks.ts';
import { sql } from '../../activities/sql.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf } from '../support/failure-of.ts';
import { runTask } from '../support/run-task.ts';

describe('SQL', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  before(async function () {
    this.timeout('10m');
    database = await createDatabase();
    await database.rows(`
      CREATE TABLE customers (id int PRIMARY KEY);
      INSERT INTO customers SELECT generate_series(1, 10);
      CREATE TABLE orders (id int, customer_id int, status text, total numeric(10, 2), sold_at timestamptz);
      INSERT INTO orders SELECT i, i % 10 + 1, CASE i % 2 WHEN 0 THEN 'open' ELSE 'shipped' END, 10,
        timestamptz '2023-12-25 00:00+00' + (i % 8) * interval '1 day' + interval '1 hour' FROM generate_series(1, 80) AS i`);
  });
  after(() => database.drop());

  const environment = (): Record<string, string> => ({ SLUICE_CONN_POSTGRES_DEFAULT: database.url });
  const run = <R>(statement: string): Promise<R> => runTask<R>(sql, { params: { sql: statement }, environment: environment() });
  const check = (checks: readonly JsonObject[], more: JsonObject = { table: 'orders' }): Promise<CheckOutcome> =>
    runTask<CheckOutcome>(sqlCheck, { params: { ...more, checks }, environment: environment() });

  describe('sql', () => {
    it('returns how many rows the last statement has changed or selected, and its first row', async () => {
      await run('CREATE TABLE loads (day date, rows bigint, at timestamptz)');
      const inserted = await run(
        "INSERT INTO loads VALUES ('2024-01-01', 9007199254740993, '2024-01-01 00:00+00'), ('2024-01-02', 1, now())",
      );
      assert.deepEqual(inserted, { rows: 2, first: {} });
      assert.deepEqual(await run("SELECT 'a' AS a; SELECT rows, at FROM loads ORDER BY day"), {
        rows: 2,
        first: { rows: '9007199254740993', at: '2024-01-01T00:00:00.000Z' },
      });
      assert.deepEqual(await run('SELECT 1 AS one; DELETE FROM loads'), { rows: 2, first: {} });
    });

    it('does not keep the rows of a large SELECT', async () => {
      const before = process.memoryUsage().rss;
      const { rows } = await run<{ rows: number }>("SELECT i, repeat('x', 500) FROM generate_series(1, 400000) AS i");
      assert.equal(rows, 400_000);
      const grown = (process.memoryUsage().rss - before) / 1e6;
      assert.ok(grown < 150, `${grown.toFixed(0)} MB more`);
    });

    it('is one transaction: nothing is kept of statements of which one fails', async () => {
      await run('CREATE TABLE kept (n int)');
      const error = await failureOf(run('INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (1 / 0)'));
      assert.deepEqual([error.type, error.nonRetryable], ['QueryFailed', true]);
      assert.match(error.message, /division by zero/);
      assert.deepEqual(await database.rows('SELECT * FROM kept'), []);
    });

    it('ends on the server when it is cancelled', async () => {
      const cancelled = runTask(sql, {
        params: { sql: 'SELECT pg_sleep(60)' },
        environment: environment(),
        onProgress: (_, cancel) => setTimeout(cancel, 300),
      });
      await assert.rejects(cancelled, { name: 'CancelledFailure' });
      // The server takes a request to cancel without an answer, and carries it out at once.
      const left = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()";
      await eventually(async () => assert.deepEqual(await database.rows(left), []), 2_000);
    });
  });

  describe('sql_check', () => {
    it('passes, and returns what it has found', async () => {
      const outcome = await check([
        { name: 'enough', check: 'row_count', min: 80 },
        { name: 'near', sql: 'SELECT count(*) FROM orders', equals: 100, tolerance: '20%' },
        { name: 'text', sql: 'SELECT min(status) FROM orders', equals: 'open' },
        { name: 'ids', check: 'unique', column: 'id' },
        { name: 'whose', check: 'relationships', column: 'customer_id', to: { table: 'customers', column: 'id' } },
        { name: 'states', check: 'accepted_values', column: 'status', values: ['open', 'shipped'] },
        { name: 'fresh', check: 'freshness', column: 'sold_at', within: '23h' },
        { name: 'as_usual', check: 'sum', column: 'total', by: 'sold_at', tolerance: '1%' },
      ]);
      assert.deepEqual([outcome.passed, outcome.failed], [8, 0]);
      assert.deepEqual(
        outcome.checks.map(({ value }) => value),
        ['80', '80', 'open', 0, 0, 0, '2024-01-01T01:00:00.000Z', 100],
      );
      assert.equal(outcome.checks[7]?.expected, '100, the mean of 7 intervals before, ± 1%');
    });

    for (const [name, given, wanted] of [
      ['a row count', { check: 'row_count', between: [100, 200] }, /c: 80, and it must be at least 100 and at most 200\./],
      [
        'a null',
        { check: 'not_null', column: 'customer_id' },
        /c: 1 wrong, must be no row without one; such as \{"id":501,"customer_id":null/,
      ],
      ['a value twice', { check: 'unique', column: 'id' }, /c: 1 wrong, must be no value more than once; such as \{"id":500,"times":"2"\}/],
      [
        'a value of no list',
        { check: 'accepted_values', column: 'status', values: ['open'] },
        /wrong, must be one of open; such as \{.*"shipped"/,
      ],
      [
        'a row without its other',
        { check: 'relationships', column: 'customer_id', to: { table: 'customers', column: 'id' } },
        /c: 1 wrong, must be each in customers\.id; such as \{"id":502,"customer_id":99/,
      ],
      [
        'what is old',
        { check: 'freshness', column: 'sold_at', within: '1h' },
        /c: 2024-01-01T01:00:00\.000Z, and it must be not older than 1h/,
      ],
      [
        'a sum unlike before',
        { check: 'sum', column: 'total', by: 'sold_at', tolerance: '1%' },
        /c: 50, and it must be 100, the mean of 7/,
      ],
      ['SQL', { sql: 'SELECT NULL::int', min: 0 }, /c: null, and it must be at least 0\./],
      ['SQL of several rows', { sql: 'SELECT id FROM orders', min: 0 }, /must give one value; it gives several rows/],
      ['SQL that writes', { sql: 'DELETE FROM orders RETURNING 1', min: 0 }, /SELECT/],
      [
        'a column that is not there',
        { check: 'unique', column: 'custmer_id' },
        /orders has no column 'custmer_id'\. Did you mean 'customer_id'\?/,
      ],
    ] as const) {
      it(`fails: ${name}`, async () => {
        const wrong = `(500, 1, 'open', 0, '2023-01-01'), (500, 1, 'open', 0, '2023-01-01'), (501, NULL, 'open', 0, '2023-01-01'),
          (502, 99, 'open', 0, '2023-01-01')`;
        await database.rows(`DELETE FROM orders WHERE id >= 500; INSERT INTO orders VALUES ${wrong};
          CREATE OR REPLACE VIEW eighty AS SELECT * FROM orders WHERE id < 500;
          CREATE OR REPLACE VIEW half AS SELECT id, customer_id, status, CASE WHEN sold_at >= '2024-01-01' THEN 5 ELSE total END AS total, sold_at
          FROM orders WHERE id < 500`);
        const table = name === 'a row count' ? 'eighty' : name === 'a sum unlike before' ? 'half' : 'orders';
        const error = await failureOf(check([{ name: 'c', ...(given as unknown as JsonObject) }], { table }));
        assert.match(error.message, wanted);
        await database.rows('DELETE FROM orders WHERE id >= 500');
      });
    }

    it('reports all checks that fail, and reads only rows of its condition', async () => {
      const checks = [
        { name: 'one', check: 'row_count', max: 1 },
        { name: 'two', check: 'row_count', equals: 40 },
        { name: 'three', sql: 'SELECT 0', equals: 1 },
      ];
      const error = await failureOf(check(checks, { table: 'orders', where: "status = 'open'" }));
      assert.equal(error.type, 'DataMismatch');
      assert.equal(error.message, '2 of 3 checks failed. one: 40, and it must be at most 1. three: 0, and it must be 1.');
    });

    for (const [value, bounds, ok] of [
      ['0.1', { max: 0.1 }, true],
      [0.1 + 0.2, { equals: 0.3 }, true],
      ['0.1001', { max: 0.1 }, false],
      [99.9, { min: 100, tolerance: '0.1%' }, true],
      [99.8, { min: 100, tolerance: '0.1%' }, false],
      [null, { max: 5 }, false],
      ['x', { min: 0 }, false],
      [-101, { equals: -100, tolerance: '1%' }, true],
      ['007', { equals: '7' }, false],
    ] as const) {
      it(`${JSON.stringify(value)} with ${JSON.stringify(bounds)}: ${ok ? 'right' : 'wrong'}`, async () => {
        const { withinBounds } = await import('../../activities/sql-check/bounds.ts');
        assert.equal(withinBounds(value, bounds), ok);
      });
    }

    it('mistakes are reported with their positions', async () => {
      const error = await failureOf(check([{ name: 'a', check: 'unique', min: 3 }], {}));
      assert.ok(error instanceof ApplicationFailure);
      assert.equal(error.type, 'InvalidParameters');
      assert.match(
        error.message,
        /checks\.0: The check 'a' needs 'column' too: unique needs it\.; checks\.0\.check: 'unique' is about a table/,
      );
    });
  });
});
