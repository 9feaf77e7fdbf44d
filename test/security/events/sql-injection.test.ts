import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { reconcile } from '../../../activities/reconcile.ts';
import type { Reconciliation } from '../../../activities/reconcile/reconcile.ts';
import { sql } from '../../../activities/sql.ts';
import type { Executed } from '../../../activities/support/sql/run-statements.ts';
import { sqlCheck } from '../../../activities/sql-check.ts';
import type { CheckOutcome } from '../../../activities/sql-check/run-checks.ts';
import { waitForSql } from '../../../activities/wait-for-sql.ts';
import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { exportTable } from '../../support/export-table.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../../support/mysql-databases.ts';
import { type RedshiftStandIn, startRedshiftStandIn } from '../../support/redshift-stand-in.ts';
import { renderedTask } from '../../support/rendered-task.ts';
import { runTask } from '../../support/run-task.ts';
import { readDataset } from '../../support/s3-dataset.ts';
import { oddTexts } from './odd-values.ts';

/** SQL around a value that all servers read → what comes back, where that is not the value. */
const EVERYWHERE: readonly (readonly [context: string, returned?: (value: string) => string])[] = [
  ['{{ params.v }}'],
  ["'{{ params.v }}'"],
  ["'<{{ params.v }}|{{ params.v }}>'", (value) => `<${value}|${value}>`],
  ['lower(upper({{ params.v }})) || {{ params.v }}', (value) => `${value.toUpperCase().toLowerCase()}${value}`],
  ["'it''s ' || '{{ params.v }}'", (value) => `it's ${value}`],
  ["/* it's /* nested ' */ not over ' */ {{ params.v }}"],
  ["-- it's\n {{ params.v }}"],
  ["-- it's\r {{ params.v }}"],
  ["$$it's$$ || {{ params.v }}", (value) => `it's${value}`],
  ["$tag$it's $$ '$tag$ || {{ params.v }}", (value) => `it's $$ '${value}`],
  ["$tög$it's $tag$ '$tög$ || {{ params.v }}", (value) => `it's $tag$ '${value}`],
  ["'a'\n'b' || {{ params.v }}", (value) => `ab${value}`],
  ["(SELECT a$b$ FROM (SELECT {{ params.v }} AS a$b$) AS s WHERE '$b$' <> {{ params.v }})"],
  ['varchar {{ params.v }}'],
  ["varchar'{{ params.v }}'"],
];
/** PostgreSQL alone. */
const POSTGRES: typeof EVERYWHERE = [
  ...EVERYWHERE,
  ["E'it\\'s ' || {{ params.v }}", (value) => `it's ${value}`],
  ["E'a\\''\n'b\\' ' || {{ params.v }}", (value) => `a'b' ${value}`],
  ["(ARRAY[{{ params.v }}, '{{ params.v }}'])[2]"],
  ['(\'{"a": "b"}\'::jsonb #>> \'{a}\') || {{ params.v }}', (value) => `b${value}`],
  ["U&'d\\0061t' || {{ params.v }}", (value) => `dat${value}`],
];

const quote = (text: string): string => JSON.stringify(text);
const yaml = (task: string): string => `
dag_id: values
schedule_interval: null
params: {v: {}, n: {type: integer, default: 1}}
tasks:
  - ${task}
`;

describe('values of events in SQL', function () {
  this.timeout('3m');
  const TEXTS = oddTexts(60);
  let database: TestDatabase;
  let escaping: TestDatabase;
  let mysql: TestMySQLDatabase;
  let bucket: TestBucket;
  let redshift: RedshiftStandIn;
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('20m');
    [database, escaping, mysql, bucket] = await Promise.all([createDatabase(), createDatabase(), createMySQLDatabase(), createBucket()]);
    await escaping.rows(`ALTER DATABASE ${escaping.name} SET standard_conforming_strings = off`);
    // What Redshift has and PostgreSQL lacks.
    await database.rows(`CREATE FUNCTION strtol(text, int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
      $$ SELECT ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$`);
    redshift = await startRedshiftStandIn(database, bucket.connection);
    environment = {
      SLUICE_CONN_POSTGRES_DEFAULT: database.url,
      SLUICE_CONN_ESCAPING: escaping.url,
      SLUICE_CONN_WAREHOUSE: redshift.url,
      SLUICE_CONN_SHOP: mysql.url,
      SLUICE_CONN_AWS_DEFAULT: bucket.url,
    };
    for (const each of [database, escaping]) await each.rows('CREATE TABLE victims (id int); INSERT INTO victims VALUES (1)');
  });
  after(async () => {
    await redshift.close();
    await Promise.all([database.drop(), escaping.drop(), mysql.drop(), bucket.drop()]);
  });
  afterEach(async () => {
    for (const each of [database, escaping]) assert.deepEqual(await each.rows('SELECT * FROM victims'), [{ id: 1 }]);
  });

  /** Runs the `sql` task that selects all contexts. */
  const select = async (connection: string, contexts: typeof EVERYWHERE, v: Json, more = ''): Promise<Executed['first']> => {
    const statement = `SELECT ${contexts.map(([context], index) => `${context} AS c${index}`).join(', ')}`;
    const params = renderedTask(yaml(`{name: q, type: sql, conn_id: ${connection}, sql: ${quote(statement)}${more}}`), { v, n: 1 });
    return (await runTask<Executed>(sql, { params, environment })).first;
  };

  for (const [server, connection, more, contexts] of [
    ['PostgreSQL', 'postgres_default', '', POSTGRES],
    // U&'…' is an error there.
    ['PostgreSQL whose role lets backslashes escape', 'escaping', '', POSTGRES.slice(0, -1)],
    ['the same without a transaction', 'escaping', ', transaction: false', POSTGRES.slice(0, -1)],
    ['Redshift', 'warehouse', '', EVERYWHERE],
  ] as const) {
    it(`are values, for any content and at any place: ${server}`, async () => {
      for (const text of TEXTS) {
        const first = await select(connection, contexts, text, more);
        for (const [index, [context, returned = (value: string) => value]] of contexts.entries()) {
          assert.equal(first[`c${index}`], returned(text), `${context} with ${quote(text)}`);
        }
      }
    });
  }

  it('are values in comparisons of MySQL and DuckDB with PostgreSQL', async () => {
    const texts = oddTexts(5).filter((text) => text !== '');
    await database.rows('CREATE TABLE known (id int, v text)');
    for (const [id, text] of texts.entries()) await database.rows('INSERT INTO known VALUES ($1, $2)', [id, text]);
    const dataset = await exportTable(database, bucket, 'known');
    const selected =
      "SELECT 1 AS id, {{ params.v }} AS a, '{{ params.v }}' AS b, /* ' */ '-{{ params.v }}-' AS c -- '\n, {{ params.v }} AS d";
    for (const [id, v] of texts.entries()) {
      const compare = async (source: string, target: string): Promise<void> => {
        const task = `{name: q, type: reconcile, key: [id], source: {${source}}, target: {conn_id: postgres_default, ${target}}}`;
        const { differing, compared } = await runTask<Reconciliation>(reconcile, {
          params: renderedTask(yaml(task), { v, n: id }),
          environment,
        });
        assert.deepEqual([differing, compared], [0, 1], quote(v));
      };
      await compare(`conn_id: shop, query: ${quote(selected)}`, `query: ${quote(selected)}`);
      await compare(
        `conn_id: aws_default, dataset: "${dataset}", where: "id = {{ params.n }} AND v = {{ params.v }} AND '<{{ params.v }}>' = '<' || v || '>'"`,
        'table: known, where: "id = {{ params.n }}"',
      );
      await compare(`conn_id: warehouse, query: ${quote(selected.replace(" -- '\n", ''))}`, `query: ${quote(selected)}`);
    }
  });

  it('are values in the conditions of wait_for_sql, sql_check and postgres_to_s3', async () => {
    const some = TEXTS.slice(0, 40);
    await database.rows('CREATE TABLE segments (id int, name text)');
    for (const [id, v] of some.entries()) {
      await database.rows('TRUNCATE segments');
      await database.rows('INSERT INTO segments VALUES ($1, $2)', [id, v]);
      for (const connection of ['postgres_default', 'warehouse']) {
        const wait = `{name: q, type: wait_for_sql, conn_id: ${connection}, sql: "SELECT count(*) FROM segments WHERE name = '{{ params.v }}' AND name = {{ params.v }}"}`;
        await runTask(waitForSql, { params: renderedTask(yaml(wait), { v }), environment });
        const check = `{name: q, type: sql_check, conn_id: ${connection}, table: segments, where: "name = {{ params.v }}", checks: [{name: a, check: row_count, equals: 1}, {name: b, sql: "SELECT count(*) FROM segments WHERE name = '{{ params.v }}'", equals: 1}]}`;
        const { passed } = await runTask<CheckOutcome>(sqlCheck, { params: renderedTask(yaml(check), { v }), environment });
        assert.equal(passed, 2);
      }
    }
    const v = "zzz\\'; DROP TABLE victims; --";
    await database.rows('INSERT INTO segments VALUES (77, $1)', [v]);
    const extract = yaml('{name: q, type: postgres_to_s3, source_table: segments, where: "name = {{ params.v }}", s3_bucket: raw-data}');
    const { where = null } = renderedTask(extract, { v });
    const uri = await exportTable(database, bucket, 'segments', { where });
    assert.deepEqual((await readDataset(bucket.client, uri)).at(-1), ['77', v]);
  });

  it('numbers, lists and maps are what they are', async () => {
    const NUMBERS: readonly (readonly [Json, string])[] = [
      [0, '0'],
      [-5, '-5'],
      [1.5, '1.5'],
      [{ $number: '9007199254740993' }, '9007199254740993'],
      [{ $number: '-0.10000000000000000000001' }, '-0.10000000000000000000001'],
      [{ $number: '1e30' }, '1000000000000000000000000000000'],
    ];
    const map = { "it's": ['\\', '"', "\\'; DROP TABLE victims; --", { $number: '1.0000000000000000000001' }] };
    const among: typeof EVERYWHERE = [["CASE WHEN 'it''s' IN ({{ params.v }}) THEN 'yes' ELSE 'no' END"]];
    for (const connection of ['postgres_default', 'escaping', 'warehouse']) {
      for (const [number, text] of NUMBERS) {
        const { c0, c1 } = await select(connection, [['{{ params.v }}'], ['0 -{{ params.v }} + {{ params.v }} = 0']], number);
        assert.deepEqual([String(c0), c1], [text, true]);
      }
      assert.equal((await select(connection, [['{{ params.v }}']], map)).c0, exactJsonText(map));
      assert.equal((await select(connection, among, ["it's", '\\', "\\'"])).c0, 'yes');
    }
  });
});
