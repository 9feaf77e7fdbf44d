import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { reconcile } from '../../activities/reconcile.ts';
import { checkTolerance } from '../../activities/reconcile/tolerance.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { readMismatch } from '../../workflows/plan/datasets/mismatch.ts';
import { drawing } from '../support/bags.ts';
import type { TestBucket } from '../support/buckets.ts';
import type { TestDatabase } from '../support/databases.ts';
import { failureOf } from '../support/failure-of.ts';
import { countsOf, createReconcileDatabases, type ReconcileDatabases } from '../support/reconcile-databases.ts';

describe('the result', () => {
  for (const [differing, compared, tolerance, exceeded, discrepancy] of [
    [999, 1_000_000, '0.1%', false, 0.000999],
    [1_000, 1_000_000, '0.1%', false, 0.001],
    [1_001, 1_000_000, '0.1%', true, 0.001001],
    [0, 0, '0', false, 0],
    [7, 7, '0.1%', true, 1],
    [1, 3, '0.3333', true, 1 / 3],
    [1, 10, '0.1', false, 0.1],
    [1, 1_000_000, '0', true, 0.000001],
    [3, 30, '10%', false, 0.1],
  ] as const) {
    it(`${differing} of ${compared}, ${tolerance} tolerated: ${exceeded ? 'too much' : 'not more'}`, () => {
      assert.deepEqual(checkTolerance(differing, compared, tolerance), { discrepancy, compared, differing, exceeded });
    });
  }
});

describe('reconcile', function () {
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

  describe('by row', () => {
    it('reports what has changed, what is missing and what is only in the target, and records all of it', async () => {
      await tables(
        'orders',
        'id bigint PRIMARY KEY, customer text, total numeric(12, 2), at timestamptz',
        `SELECT i, 'customer ' || i % 100, i * 1.5, timestamptz '2024-01-01' + i * interval '1 minute' FROM generate_series(1, 50000) AS i`,
        `SELECT i, 'customer ' || i % 100, CASE WHEN i % 10000 = 7 THEN 0 ELSE i * 1.5 END, timestamptz '2024-01-01' + i * interval '1 minute'
         FROM generate_series(1, 50003) AS i WHERE i NOT IN (17, 40000)`,
      );
      const result = await run({
        source: { table: 'orders' },
        target: { table: 'orders' },
        key: ['id'],
        on_mismatch: 'warn',
        tolerance: '0.1%',
        report_to: `s3://${bucket.name}/reports`,
      });
      assert.deepEqual(countsOf(result), [50_003, 5, 2, 3]);
      assert.equal(result.discrepancy, 10 / 50_003);
      assert.match(result.summary, /^10 of 50,003 rows of orders \(source\) and orders \(target\) differ: 0\.02 %, tolerated 0\.1%\./);
      const short = '10 of 50,003 rows differ: 0.02 %, tolerated 0.1%';
      assert.deepEqual(readMismatch(result.summary), { short, report: result.report }, 'pages read it back');
      assert.equal(result.report, `s3://${bucket.name}/reports/dag/task/20240101T000000Z/differences.csv`);
      const lines = (await bucket.text('reports/dag/task/20240101T000000Z/differences.csv')).trimEnd().split('\n');
      assert.equal(lines[0], 'kind,id,column,source,target');
      assert.deepEqual(lines.slice(1).sort(), [
        'changed,10007,total,15010.50,0.00',
        'changed,20007,total,30010.50,0.00',
        'changed,30007,total,45010.50,0.00',
        'changed,40007,total,60010.50,0.00',
        'changed,7,total,10.50,0.00',
        'extra,50001,,,',
        'extra,50002,,,',
        'extra,50003,,,',
        'missing,17,,,',
        'missing,40000,,,',
      ]);
    });

    it('fails on more than is tolerated, and shows what differs', async () => {
      const error = await failureOf(run({ source: { table: 'orders' }, target: { table: 'orders' }, key: ['id'] }));
      assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
      assert.match(
        error.message,
        /10 of 50,003 rows .* differ: .*5 changed, 2 missing in the target, 3 in the target only\. First: id=7 total: '10\.50' ≠ '0\.00'/,
      );
    });

    it('200 times what a full join by hand finds, for any rows', async () => {
      const kinds = [
        { type: 'integer', key: true, value: (n: number) => String(n) },
        { type: 'bigint', key: true, value: (n: number) => String(n * 1e12 - 5e12) },
        { type: 'text', key: true, value: (n: number) => `'k${n % 3 === 0 ? '' : ','}${n}'` },
        { type: 'numeric', key: true, value: (n: number) => `${n}.${'50'.slice(0, n % 3)}0` },
        { type: 'date', key: false, value: (n: number) => `'2024-01-${String((n % 28) + 1).padStart(2, '0')}'` },
        { type: 'timestamptz', key: false, value: (n: number) => `'2024-01-01 00:00:0${n % 9}.${n}+00'` },
        { type: 'boolean', key: false, value: (n: number) => String(n % 2 === 0) },
        { type: 'double precision', key: false, value: (n: number) => String(n / 7) },
      ];
      const draw = drawing(42);
      const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
      // All are drawn first: they are compared four at a time, and what is drawn must not depend on which ends first.
      const rounds = Array.from({ length: 200 }, (_, round) => {
        const keys = Array.from({ length: 1 + draw(2) }, () => pick(kinds.filter(({ key }) => key)));
        const others = Array.from({ length: draw(4) }, () => pick(kinds));
        const all = [...keys, ...others];
        const range = pick([3, 20, 400]);
        const row = (): string => `(${all.map(({ value }) => (draw(12) === 0 ? 'NULL' : value(draw(range)))).join(', ')})`;
        const common = Array.from({ length: draw(300) }, row);
        const [one, other] = [[...common], [...common]];
        for (let change = draw(6); change > 0; change -= 1) pick([one, other]).push(row());
        for (let change = draw(4); change > 0; change -= 1) pick([one, other]).splice(draw(common.length + 1), 1);
        return { round, keys, all, one, other };
      });
      await inTurns(rounds, 4, async ({ round, keys, all, one, other }) => {
        const columns = all.map(({ type }, index) => `c${index} ${type}`).join(', ');
        const name = `random_${round}`;
        const some = (rows: readonly string[]): string => (rows.length > 0 ? `INSERT INTO ${name} VALUES ${rows.join(', ')}` : 'SELECT 1');
        await source.rows(`CREATE TABLE ${name} (${columns}); ${some(one)}`);
        await source.rows(`CREATE TABLE ${name}_other (${columns}); ${some(other).replace(name, `${name}_other`)}`);
        await target.rows(`CREATE TABLE ${name} (${columns}); ${some(other)}`);
        const k = keys.map((_, index) => `c${index}`).join(', ');
        const [expected] = await source.rows<{ missing: string; extra: string; same: string }>(
          `WITH only_source AS (SELECT ${k} FROM (TABLE ${name} EXCEPT ALL TABLE ${name}_other) AS s),
                only_target AS (SELECT ${k} FROM (TABLE ${name}_other EXCEPT ALL TABLE ${name}) AS t)
           SELECT (SELECT count(*) FROM (TABLE only_source EXCEPT ALL TABLE only_target) AS x)::text AS missing,
                  (SELECT count(*) FROM (TABLE only_target EXCEPT ALL TABLE only_source) AS x)::text AS extra,
                  (SELECT count(*) FROM (TABLE only_source INTERSECT ALL TABLE only_target) AS x)::text AS same`,
        );
        const result = await run({
          source: { table: name },
          target: { conn_id: round % 4 === 3 ? 'redshift' : 'target', table: name },
          key: keys.map((_, index) => `c${index}`),
          on_mismatch: 'warn',
          ...(round % 4 === 3 && { normalize: Object.fromEntries(all.map(({ type }, index) => [`c${index}`, rounding(type)])) }),
        });
        assert.deepEqual(
          [String(result.changed), String(result.missing), String(result.extra), result.compared],
          [expected?.same, expected?.missing, expected?.extra, one.length + Number(expected?.extra)],
          `round ${round}: ${columns}`,
        );
      });
    }).timeout(300_000);

    it('keys far apart, at the ends of their type, and none', async () => {
      const rows = `(-9223372036854775808, 'a'), (9223372036854775807, 'b'), (0, 'c'), (NULL, 'd')`;
      await Promise.all([
        values(source, 'far', 'id bigint, name text', rows),
        values(target, 'far', 'id bigint, name text', rows.replace("'b'", "'B'").replace("'d'", "'D'")),
      ]);
      const far = { source: { table: 'far' }, target: { table: 'far' }, key: ['id'], on_mismatch: 'warn' };
      assert.deepEqual(countsOf(await run(far)), [4, 2, 0, 0]);
      await Promise.all([source, target].map((database) => database.rows('CREATE TABLE nothing (id bigint, name text)')));
      assert.deepEqual(countsOf(await run({ ...far, source: { table: 'nothing' } })), [4, 0, 0, 4]);
      assert.deepEqual(countsOf(await run({ ...far, target: { table: 'nothing' } })), [4, 0, 4, 0]);
      const none = await run({ ...far, source: { table: 'nothing' }, target: { table: 'nothing' }, on_mismatch: 'fail' });
      assert.deepEqual([...countsOf(none), none.discrepancy], [0, 0, 0, 0, 0]);
    });

    it('a row that is there twice must be there twice', async () => {
      await Promise.all([
        values(source, 'twice', 'id integer, name text', `(1, 'a'), (1, 'a'), (2, 'b'), (2, 'c')`),
        values(target, 'twice', 'id integer, name text', `(1, 'a'), (2, 'c'), (2, 'b')`),
      ]);
      const result = await run({ source: { table: 'twice' }, target: { table: 'twice' }, key: ['id'], on_mismatch: 'warn' });
      assert.deepEqual(countsOf(result), [4, 0, 1, 0]);
    });

    it('texts that hold the marks between columns are not mixed up', async () => {
      await Promise.all([
        values(source, 'marks', 'id integer, a text, b text', `(1, 'x', '1:y'), (2, '-', NULL), (3, NULL, '')`),
        values(target, 'marks', 'id integer, a text, b text', `(1, 'x1:', 'y'), (2, NULL, '-'), (3, '', NULL)`),
      ]);
      for (const connection of ['target', 'redshift']) {
        const result = await run({
          source: { table: 'marks' },
          target: { conn_id: connection, table: 'marks' },
          key: ['id'],
          on_mismatch: 'warn',
        });
        assert.deepEqual(countsOf(result), [3, 3, 0, 0]);
      }
    });

    it('as_of: what changed later, on either side, is not compared', async () => {
      const columns = 'id integer, name text, updated_at timestamptz';
      await Promise.all([
        values(
          source,
          'moving',
          columns,
          `(1, 'a', '2024-01-01'), (2, 'new', '2024-01-02 00:00:01'), (3, 'c', '2024-01-03'), (5, 'x', '2024-01-01')`,
        ),
        values(
          target,
          'moving',
          columns,
          `(1, 'a', '2024-01-01'), (2, 'old', '2024-01-01'), (4, 'd', '2024-01-02'), (5, 'y', '2024-01-01')`,
        ),
      ]);
      const result = await run({
        source: { table: 'moving' },
        target: { table: 'moving' },
        key: ['id'],
        as_of: { column: 'updated_at' },
        on_mismatch: 'warn',
      });
      assert.deepEqual(countsOf(result), [2, 1, 0, 0]);
    });

    it('continues where the attempt before stopped', async () => {
      await tables(
        'large',
        'id bigint PRIMARY KEY, v integer',
        'SELECT i, i FROM generate_series(1, 2500000) AS i; ANALYZE large',
        'SELECT i, CASE WHEN i IN (5, 2400000) THEN 0 ELSE i END FROM generate_series(1, 2500000) AS i; ANALYZE large',
      );
      const points: Json[] = [];
      const task = { source: { table: 'large' }, target: { table: 'large' }, key: ['id'], on_mismatch: 'warn' };
      const whole = await run(task, { onProgress: (point) => point !== undefined && points.push(point) });
      assert.deepEqual(countsOf(whole), [2_500_000, 2, 0, 0]);
      const first = points.find((point) => (point as { stripes?: number }).stripes === 1) ?? assert.fail('no progress');
      assert.deepEqual(countsOf(await run(task, { resumePoint: first })), [2_500_000, 2, 0, 0]);
    }).timeout(120_000);
  });

  describe('by group, and by number', () => {
    it('compares what is summed up by group', async () => {
      await Promise.all([
        values(
          source,
          'sales',
          'day date, region text, total numeric(10, 2)',
          `('2024-01-01', 'eu', 1.50), ('2024-01-01', 'eu', 2.50), ('2024-01-01', 'us', 3), ('2024-01-02', 'eu', 1)`,
        ),
        values(
          target,
          'sales',
          'day date, region text, total numeric(10, 2)',
          `('2024-01-01', 'eu', 4), ('2024-01-01', 'us', 3.01), ('2024-01-03', 'eu', 1)`,
        ),
      ]);
      const grouped = { source: { table: 'sales' }, target: { table: 'sales' }, compare: 'aggregate', on_mismatch: 'warn' };
      const sums = await run({ ...grouped, key: ['day', 'region'], aggregates: ['sum(total)', 'max(day)'] });
      assert.deepEqual(countsOf(sums), [4, 1, 1, 1]);
      assert.deepEqual(
        sums.examples.find(({ kind }) => kind === 'changed'),
        {
          key: { day: '2024-01-01', region: 'us' },
          kind: 'changed',
          column: 'sum(total)',
          source: '3.00',
          target: '3.01',
        },
      );
      const all = await run({ ...grouped, aggregates: ['count(*)', 'distinct(region)'] });
      assert.deepEqual(countsOf(all), [1, 1, 0, 0]);
    });

    it('compares numbers of rows', async () => {
      const result = await run({ source: { table: 'sales' }, target: { table: 'sales' }, compare: 'count', on_mismatch: 'warn' });
      assert.deepEqual([...countsOf(result), result.discrepancy], [4, 0, 1, 0, 0.25]);
    });
  });

  it('on_mismatch: approve shows how an operator decides', async () => {
    await values(source, 'asked', 'id int, total int', '(1, 1)');
    await values(target, 'asked', 'id int, total int', '(1, 2)');
    const error = await failureOf(run({ source: { table: 'asked' }, target: { table: 'asked' }, key: ['id'], on_mismatch: 'approve' }));
    assert.match(error.message, /Accept it with `sluice mark-success`, or compare again with `sluice retry`\.$/);
    assert.equal(reconcile.heldFor?.({ on_mismatch: 'approve' }), '7d');
    assert.equal(reconcile.heldFor?.({ on_mismatch: 'fail' }), undefined);
  });

  describe('what is wrong with a task', () => {
    it('names the key, table or column', async () => {
      const sides = { source: { table: 'sales' }, target: { table: 'sales' } };
      for (const [params, expected] of [
        [{ ...sides }, /'key' is missing/],
        [{ ...sides, compare: 'aggregate' }, /'aggregates' is missing/],
        [{ ...sides, key: ['day'], aggregates: ['count(*)'] }, /'aggregates' is for compare: aggregate/],
        [
          { source: { table: 'sales', query: 'SELECT 1' }, target: { table: 'sales' }, key: ['day'] },
          /'source' needs either 'table', 'query' or 'dataset'/,
        ],
        [{ ...sides, key: ['dya'] }, /sales \(source\) has no column 'dya'\. Did you mean 'day'\?/],
        [{ source: { table: 'sale' }, target: { table: 'sales' }, key: ['day'] }, /no table 'sale'.*Did you mean 'sales'/],
        [{ source: { table: 'sales', where: '1 = 1) OR (1 = 1' }, target: { table: 'sales' }, key: ['day'] }, /'where' is not one SELECT/],
      ] as const) {
        assert.match((await failureOf(run(params))).message, expected);
      }
    });
  });
});

/** What has no limit on its digits needs one where the servers write numbers in their own ways. */
function rounding(type: string): JsonObject {
  return type === 'double precision' || type === 'numeric' ? { scale: 10 } : {};
}
