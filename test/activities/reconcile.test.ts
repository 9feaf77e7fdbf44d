import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { reconcile } from '../../activities/reconcile.ts';
import type { Reconciliation } from '../../activities/reconcile/reconcile.ts';
import { judge } from '../../activities/reconcile/verdict.ts';
import { connectionsFrom } from '../../lib/connections.ts';
import { parseS3Uri } from '../../lib/s3.ts';
import type { Json, JsonObject } from '../../workflows/plan/json.ts';
import { drawing } from '../support/bags.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';
import { failureOf } from '../support/failure-of.ts';
import { type RedshiftStandIn, startRedshiftStandIn } from '../support/redshift-stand-in.ts';

describe('the verdict', () => {
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
      assert.deepEqual(judge(differing, compared, tolerance), { discrepancy, compared, differing, exceeded });
    });
  }
});

describe('reconcile', function () {
  this.timeout(60_000);
  let source: TestDatabase;
  let target: TestDatabase;
  let bucket: TestBucket;
  let redshift: RedshiftStandIn;

  before(async function () {
    this.timeout('20m');
    [source, target, bucket] = await Promise.all([createDatabase(), createDatabase(), createBucket()]);
    // What Redshift has and PostgreSQL lacks.
    await target.rows(`CREATE FUNCTION strtol(text, int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
      $$ SELECT ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$`);
    redshift = await startRedshiftStandIn(target, connectionsFrom({ SLUICE_CONN_A: bucket.url }).get('a', ['aws']));
  });
  after(async () => {
    await redshift.close();
    await Promise.all([source.drop(), target.drop(), bucket.drop()]);
  });

  function run(params: JsonObject, more: Partial<TaskRun> = {}): Promise<Reconciliation> {
    const { source: from, target: to, ...rest } = params as { source: JsonObject; target: JsonObject };
    return runTask<Reconciliation>(reconcile, {
      params: {
        source: { connection: 'source', ...from },
        target: { connection: 'target', ...to },
        ...rest,
      },
      environment: {
        SLUICE_CONN_SOURCE: source.url,
        SLUICE_CONN_TARGET: target.url,
        SLUICE_CONN_REDSHIFT: redshift.url,
        SLUICE_CONN_AWS_DEFAULT: bucket.url,
      },
      ...more,
    });
  }

  const counts = ({ compared, changed, missing, extra }: Reconciliation): number[] => [compared, changed, missing, extra];
  const tables = async (name: string, columns: string, ofSource: string, ofTarget: string): Promise<void> => {
    await Promise.all(
      [[source, ofSource] as const, [target, ofTarget] as const].map(([database, values]) =>
        database.rows(`CREATE TABLE ${name} (${columns}); INSERT INTO ${name} ${values}`),
      ),
    );
  };
  const values = (database: TestDatabase, name: string, columns: string, rows: string): Promise<unknown> =>
    database.rows(`CREATE TABLE ${name} (${columns}); INSERT INTO ${name} VALUES ${rows}`);

  describe('by row', () => {
    it('tells what has changed, what is missing and what is only in the target, and writes all of it down', async () => {
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
      assert.deepEqual(counts(result), [50_003, 5, 2, 3]);
      assert.equal(result.discrepancy, 10 / 50_003);
      assert.match(result.summary, /^10 of 50,003 rows of orders \(source\) and orders \(target\) differ: 0\.02 %, tolerated 0\.1%\./);
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

    it('fails on more than is tolerated, and says what differs', async () => {
      const error = await failureOf(run({ source: { table: 'orders' }, target: { table: 'orders' }, key: ['id'] }));
      assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
      assert.match(
        error.message,
        /10 of 50,003 rows .* differ: .*5 changed, 2 missing in the target, 3 in the target only\. First: id=7 total: '10\.50' ≠ '0\.00'/,
      );
    });

    it('200 times what a full join by hand finds, whatever the rows are', async () => {
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
      for (let round = 0; round < 200; round += 1) {
        const keys = Array.from({ length: 1 + draw(2) }, () => pick(kinds.filter(({ key }) => key)));
        const others = Array.from({ length: draw(4) }, () => pick(kinds));
        const all = [...keys, ...others];
        const columns = all.map(({ type }, index) => `c${index} ${type}`).join(', ');
        const range = pick([3, 20, 400]);
        const row = (): string => `(${all.map(({ value }) => (draw(12) === 0 ? 'NULL' : value(draw(range)))).join(', ')})`;
        const common = Array.from({ length: draw(300) }, row);
        const [one, other] = [[...common], [...common]];
        for (let change = draw(6); change > 0; change -= 1) pick([one, other]).push(row());
        for (let change = draw(4); change > 0; change -= 1) pick([one, other]).splice(draw(common.length + 1), 1);
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
          target: { connection: round % 4 === 3 ? 'redshift' : 'target', table: name },
          key: keys.map((_, index) => `c${index}`),
          on_mismatch: 'warn',
          ...(round % 4 === 3 && { normalize: Object.fromEntries(all.map(({ type }, index) => [`c${index}`, rounding(type)])) }),
        });
        assert.deepEqual(
          [String(result.changed), String(result.missing), String(result.extra), result.compared],
          [expected?.same, expected?.missing, expected?.extra, one.length + Number(expected?.extra)],
          `round ${round}: ${columns}`,
        );
      }
    }).timeout(300_000);

    it('keys far apart, at the ends of their type, and none', async () => {
      const rows = `(-9223372036854775808, 'a'), (9223372036854775807, 'b'), (0, 'c'), (NULL, 'd')`;
      await Promise.all([
        values(source, 'far', 'id bigint, name text', rows),
        values(target, 'far', 'id bigint, name text', rows.replace("'b'", "'B'").replace("'d'", "'D'")),
      ]);
      const far = { source: { table: 'far' }, target: { table: 'far' }, key: ['id'], on_mismatch: 'warn' };
      assert.deepEqual(counts(await run(far)), [4, 2, 0, 0]);
      await Promise.all([source, target].map((database) => database.rows('CREATE TABLE nothing (id bigint, name text)')));
      assert.deepEqual(counts(await run({ ...far, source: { table: 'nothing' } })), [4, 0, 0, 4]);
      assert.deepEqual(counts(await run({ ...far, target: { table: 'nothing' } })), [4, 0, 4, 0]);
      const none = await run({ ...far, source: { table: 'nothing' }, target: { table: 'nothing' }, on_mismatch: 'fail' });
      assert.deepEqual([...counts(none), none.discrepancy], [0, 0, 0, 0, 0]);
    });

    it('a row that is there twice must be there twice', async () => {
      await Promise.all([
        values(source, 'twice', 'id integer, name text', `(1, 'a'), (1, 'a'), (2, 'b'), (2, 'c')`),
        values(target, 'twice', 'id integer, name text', `(1, 'a'), (2, 'c'), (2, 'b')`),
      ]);
      const result = await run({ source: { table: 'twice' }, target: { table: 'twice' }, key: ['id'], on_mismatch: 'warn' });
      assert.deepEqual(counts(result), [4, 0, 1, 0]);
    });

    it('texts that hold the marks between columns are not mixed up', async () => {
      await Promise.all([
        values(source, 'marks', 'id integer, a text, b text', `(1, 'x', '1:y'), (2, '-', NULL), (3, NULL, '')`),
        values(target, 'marks', 'id integer, a text, b text', `(1, 'x1:', 'y'), (2, NULL, '-'), (3, '', NULL)`),
      ]);
      for (const connection of ['target', 'redshift']) {
        const result = await run({ source: { table: 'marks' }, target: { connection, table: 'marks' }, key: ['id'], on_mismatch: 'warn' });
        assert.deepEqual(counts(result), [3, 3, 0, 0]);
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
      assert.deepEqual(counts(result), [2, 1, 0, 0]);
    });

    it('goes on where an attempt before has come to', async () => {
      await tables(
        'large',
        'id bigint PRIMARY KEY, v integer',
        'SELECT i, i FROM generate_series(1, 2500000) AS i; ANALYZE large',
        'SELECT i, CASE WHEN i IN (5, 2400000) THEN 0 ELSE i END FROM generate_series(1, 2500000) AS i; ANALYZE large',
      );
      const points: Json[] = [];
      const task = { source: { table: 'large' }, target: { table: 'large' }, key: ['id'], on_mismatch: 'warn' };
      const whole = await run(task, { onProgress: (point) => point !== undefined && points.push(point) });
      assert.deepEqual(counts(whole), [2_500_000, 2, 0, 0]);
      const first = points.find((point) => (point as { stripes?: number }).stripes === 1) ?? assert.fail('no progress');
      assert.deepEqual(counts(await run(task, { resumePoint: first })), [2_500_000, 2, 0, 0]);
    }).timeout(120_000);
  });

  describe('values that look different', () => {
    const cases: readonly (readonly [string, string, string, string, string, JsonObject | undefined, boolean | RegExp])[] = [
      ['digits after the point', 'numeric(10, 1)', '1.5', 'numeric(10, 3)', '1.500', undefined, true],
      ['numbers without and with a point', 'integer', '5', 'numeric', '5.00', undefined, true],
      ['numbers that differ in a digit', 'numeric', '5.001', 'numeric', '5', undefined, false],
      ['the same, rounded', 'numeric', '5.001', 'numeric', '5', { scale: 2 }, true],
      ['a float and a number', 'double precision', '0.1', 'numeric', '0.1', undefined, /is double precision .* numeric .*\{scale: 2\}/],
      ['a float and a number, rounded', 'double precision', '0.1', 'numeric', '0.1', { scale: 4 }, true],
      ['zero below zero', 'double precision', "'-0'", 'double precision', '0', undefined, true],
      ['padding', 'char(5)', `'a'`, 'text', `'a'`, undefined, true],
      ['blanks', 'text', `' a '`, 'text', `'a'`, undefined, false],
      ['blanks, trimmed', 'text', `' a '`, 'text', `'a'`, { trim: true }, true],
      ['NULL and the empty text', 'text', 'NULL', 'text', `''`, undefined, false],
      ['NULL and the empty text, as one', 'text', 'NULL', 'text', `''`, { empty_is_null: true }, true],
      ['upper and lower case', 'text', `'Zoe'`, 'text', `'zOE'`, { ignore_case: true }, true],
      ['an accent of its own', 'text', `E'Zoe\\u0308'`, 'text', `'Zoë'`, undefined, false],
      ['an accent of its own, composed', 'text', `E'Zoe\\u0308'`, 'text', `'Zoë'`, { unicode: 'nfc' }, true],
      ['a boolean and a number', 'boolean', 'true', 'integer', '1', undefined, /is boolean .* integer .*\{boolean: true\}/],
      ['a boolean and a number, declared', 'boolean', 'true', 'integer', '1', { boolean: true }, true],
      ['a boolean and another number', 'boolean', 'true', 'integer', '2', { boolean: true }, false],
      ['one instant in two zones', 'timestamptz', `'2024-07-01 12:00+02'`, 'timestamptz', `'2024-07-01 10:00+00'`, undefined, true],
      [
        'times with and without a zone',
        'timestamptz',
        `'2024-07-01 12:00+02'`,
        'timestamp',
        `'2024-07-01 12:00'`,
        undefined,
        /\{timezone: /,
      ],
      [
        'the same, declared',
        'timestamptz',
        `'2024-07-01 12:00+02'`,
        'timestamp',
        `'2024-07-01 12:00'`,
        { timezone: 'Europe/Berlin' },
        true,
      ],
      ['parts of a second', 'timestamp', `'2024-07-01 12:00:00.123456'`, 'timestamp', `'2024-07-01 12:00:00.123'`, undefined, false],
      [
        'parts of a second, cut',
        'timestamp',
        `'2024-07-01 12:00:00.123456'`,
        'timestamp',
        `'2024-07-01 12:00:00.123'`,
        { precision: 'millisecond' },
        true,
      ],
      ['a date and a time', 'date', `'2024-07-01'`, 'timestamp', `'2024-07-01 12:00'`, { precision: 'day' }, true],
      ['a number and a text', 'integer', '1', 'text', `'1'`, undefined, /cannot be compared: give a 'query' that casts/],
    ];
    for (const [index, [name, typeOfSource, ofSource, typeOfTarget, ofTarget, normalization, expected]] of cases.entries()) {
      it(`${name}: ${expected === true ? 'the same' : expected === false ? 'not the same' : 'asks'}`, async () => {
        await Promise.all([
          values(source, `look_${index}`, `id integer, x ${typeOfSource}`, `(1, ${ofSource})`),
          values(target, `look_${index}`, `id integer, x ${typeOfTarget}`, `(1, ${ofTarget})`),
        ]);
        const task = run({
          source: { table: `look_${index}` },
          target: { table: `look_${index}` },
          key: ['id'],
          on_mismatch: 'warn',
          ...(normalization && { normalize: { x: normalization } }),
        });
        if (typeof expected === 'boolean') assert.equal((await task).changed, expected ? 0 : 1);
        else assert.match((await failureOf(task)).message, expected);
      });
    }
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
      assert.deepEqual(counts(sums), [4, 1, 1, 1]);
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
      assert.deepEqual(counts(all), [1, 1, 0, 0]);
    });

    it('compares numbers of rows', async () => {
      const result = await run({ source: { table: 'sales' }, target: { table: 'sales' }, compare: 'count', on_mismatch: 'warn' });
      assert.deepEqual([...counts(result), result.discrepancy], [4, 0, 1, 0, 0.25]);
    });
  });

  describe('on_mismatch: repair', () => {
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
        const result = await run(repairing(table, { target: { connection, table }, columns: ['name', 'total'] }));
        assert.deepEqual(counts(result), [3_002, 3, 999, 2]);
        assert.deepEqual([result.discrepancy, result.repaired], [0, 1_004]);
        assert.match(result.summary, /^1,004 of 3,002 rows .* All 1,004 rows are repaired\. What takes it back: s3:/);
        const columns = 'id, name, total, at, raw, active';
        assert.deepEqual(
          await target.rows(`SELECT ${columns} FROM ${table} ORDER BY 1`),
          await source.rows(`SELECT ${columns} FROM ${table} ORDER BY 1`),
        );
        // What only the target has is left as it was.
        assert.deepEqual(await target.rows(`SELECT DISTINCT loaded_by FROM ${table} WHERE id % 1000 = 7`), [{ loaded_by: 'loader' }]);
        await target.rows(await bucket.text(parseS3Uri(result.undo ?? '').key));
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
      assert.match(error.message, /^Nothing is repaired: some of the rows that differ have no key \(id\) of their own/);
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

    it('refuses more than can be told one by one', async () => {
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

  it('on_mismatch: approve says how a person decides', async () => {
    await values(source, 'asked', 'id int, total int', '(1, 1)');
    await values(target, 'asked', 'id int, total int', '(1, 2)');
    const error = await failureOf(run({ source: { table: 'asked' }, target: { table: 'asked' }, key: ['id'], on_mismatch: 'approve' }));
    assert.match(error.message, /Accept it with `sluice mark-success`, or compare again with `sluice retry`\.$/);
    assert.equal(reconcile.heldFor?.({ on_mismatch: 'approve' }), '7d');
    assert.equal(reconcile.heldFor?.({ on_mismatch: 'fail' }), undefined);
  });

  describe('what is wrong with a task', () => {
    it('says which key, table or column', async () => {
      const sides = { source: { table: 'sales' }, target: { table: 'sales' } };
      for (const [params, expected] of [
        [{ ...sides }, /'key' is missing/],
        [{ ...sides, compare: 'aggregate' }, /'aggregates' is missing/],
        [{ ...sides, key: ['day'], aggregates: ['count(*)'] }, /'aggregates' is for compare: aggregate/],
        [
          { source: { table: 'sales', query: 'SELECT 1' }, target: { table: 'sales' }, key: ['day'] },
          /'source' needs either 'table' or 'query'/,
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
