import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Evaluator } from '../../../workflows/plan/expressions/evaluator.ts';
import { sqlFor } from '../../../workflows/plan/expressions/sql-template.ts';
import { compiler } from '../../support/compiler.ts';

const PARAMS =
  'params: {table: orders, schema: sales, days: {type: integer, default: 7}, cols: {type: array, items: {type: string}, default: [id]}, ids: {type: array, items: {type: integer}, default: [1]}}';

function compileSql(sql: string): string[] {
  const text = `dag_id: x\n${PARAMS}\ntasks: [{name: a, type: sql, sql: ${JSON.stringify(sql)}}]`;
  return compiler.compile({ file: 'x.yaml', text }).diagnostics.map(({ code, message, hint }) => `${code} ${message} | ${hint ?? ''}`);
}

describe('an expression where SQL has a name', () => {
  const NAMES: readonly (readonly [sql: string, way: string])[] = [
    ['SELECT * FROM events_{{ ds_nodash }}', '{{ ident("events_" + ds_nodash) }}'],
    ['SELECT * FROM {{ params.table }}_old', '{{ ident(params.table + "_old") }}'],
    ['SELECT * FROM {{ params.schema }}.{{ params.table }}', '{{ ident(params.schema, params.table) }}'],
    ['SELECT * FROM sales.{{ params.table }} o', '{{ ident("sales", params.table) }}'],
    ['SELECT * FROM {{ params.schema }}.orders', '{{ ident(params.schema, "orders") }}'],
    ['SELECT * FROM {{ params.table }}', '{{ ident(params.table) }}'],
    ['TRUNCATE {{ params.table }}', '{{ ident(params.table) }}'],
    ['TRUNCATE TABLE {{ params.table }}', '{{ ident(params.table) }}'],
    ['DROP TABLE IF EXISTS {{ params.table }}', '{{ ident(params.table) }}'],
    ['CREATE TABLE IF NOT EXISTS {{ params.table }} (a int)', '{{ ident(params.table) }}'],
    ['INSERT INTO {{ params.table }} VALUES (1)', '{{ ident(params.table) }}'],
    ['UPDATE {{ params.table }} SET a = 1', '{{ ident(params.table) }}'],
    ['UPDATE t SET {{ params.table }} = 1', '{{ ident(params.table) }}'],
    ['SELECT 1 FROM a LEFT JOIN {{ params.table }} b ON true', '{{ ident(params.table) }}'],
    ['SELECT o.{{ params.table }} FROM o', '{{ ident("o", params.table) }}'],
    ['SELECT 1 AS {{ params.table }}', '{{ ident(params.table) }}'],
    ['SELECT a FROM t ORDER BY {{ params.table }}', '{{ ident(params.table) }}'],
    ['SELECT {{ params.cols }} FROM t', '{{ ident(params.cols) }}'],
    ['INSERT INTO t ({{ params.cols }}) SELECT 1', '{{ ident(params.cols) }}'],
    ['SELECT * FROM t WHERE id IN {{ params.ids }}', '{{ in(params.ids) }}'],
    ['ANALYZE {{ params.table }}', '{{ ident(params.table) }}'],
    ['INSERT INTO t VALUES (1) ON CONFLICT ({{ params.table }}) DO NOTHING', '{{ ident(params.table) }}'],
    ['SELECT 1 FROM a JOIN b USING ({{ params.table }})', '{{ ident(params.table) }}'],
    ['ANALYZE VERBOSE {{ params.table }}', '{{ ident(params.table) }}'],
    ['REFRESH MATERIALIZED VIEW CONCURRENTLY {{ params.table }}', '{{ ident(params.table) }}'],
    ['CREATE INDEX ix ON {{ params.table }} (id)', '{{ ident(params.table) }}'],
    ['CREATE TABLE t (LIKE {{ params.table }} INCLUDING ALL)', '{{ ident(params.table) }}'],
    ['CREATE TABLE t PARTITION OF {{ params.table }} DEFAULT', '{{ ident(params.table) }}'],
    ['GRANT SELECT ON {{ params.table }} TO analyst', '{{ ident(params.table) }}'],
    ['GRANT SELECT ON t TO {{ params.table }}', '{{ ident(params.table) }}'],
    ['MERGE INTO t USING {{ params.table }} s ON t.id = s.id WHEN MATCHED THEN DO NOTHING', '{{ ident(params.table) }}'],
    ['DELETE FROM t USING {{ params.table }} o WHERE t.id = o.id', '{{ ident(params.table) }}'],
    ['SELECT 1 FROM a, {{ params.table }} b', '{{ ident(params.table) }}'],
    ['SELECT 1 FROM f(1, 2) x, {{ params.table }}', '{{ ident(params.table) }}'],
    ['TRUNCATE a, {{ params.table }}', '{{ ident(params.table) }}'],
    ['DROP TABLE a, {{ params.table }}', '{{ ident(params.table) }}'],
    ['SELECT a FROM t ORDER BY a, {{ params.table }} DESC', '{{ ident(params.table) }}'],
    ['SELECT rank() OVER (PARTITION BY a, {{ params.table }} ORDER BY b) FROM t', '{{ ident(params.table) }}'],
  ];
  for (const [sql, way] of NAMES) {
    it(`is a mistake that leads to the way out: ${sql}`, () => {
      const said = compileSql(sql);
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', /^SL510/);
      assert.ok(said[0]?.includes(way), said[0]);
    });
  }

  it('is taken as it is suggested', () => {
    for (const [sql, way] of NAMES) {
      const name = /(?:[\w]+\.)?(?:\w*\{\{[^}]*\}\}\w*)(?:\.(?:\w+|\{\{[^}]*\}\}))?/.exec(sql)?.[0] ?? '';
      assert.deepEqual(compileSql(sql.replace(name, way)), [], sql.replace(name, way));
    }
  });

  for (const [sql, expected] of [
    ['SELECT * FROM t WHERE id IN {{ params.days }}', /IN needs a list in brackets.*write IN \(\{\{ params.days \}\}\)/],
    ['SELECT * FROM t WHERE id NOT IN {{ params.table }}', /IN needs a list in brackets/],
    ["SELECT * FROM t WHERE id IN ('{{ params.ids }}')", /A list between quotes is one text/],
    ["SELECT * FROM t WHERE id IN ('0', '{{ params.ids }}')", /A list between quotes is one text/],
  ] as const) {
    it(`is a mistake: ${sql}`, () => {
      assert.equal(compileSql(sql).length, 1);
      assert.match(compileSql(sql)[0] ?? '', expected);
    });
  }

  const VALUES = [
    "SELECT position('a' in {{ params.table }})",
    "SELECT * FROM t WHERE id IN ('{{ params.table }}', {{ params.table }})",
    "SELECT '{{ params.ids }}'::jsonb",
    'SELECT {{ params.table }}, {{ ds }} AS day FROM t',
    "SELECT * FROM t WHERE d > now() - interval '{{ params.days }} days'",
    'SELECT * FROM t WHERE d >= {{ data_interval_start }} AND d < {{ data_interval_end }}',
    'SELECT EXTRACT(hour FROM {{ data_interval_start }})',
    'SELECT * FROM t WHERE a IS DISTINCT FROM {{ params.table }}',
    'SELECT * FROM generate_series(1, {{ params.days }})',
    'SELECT * FROM t WHERE id IN ({{ params.ids }}) AND b = ANY(ARRAY[{{ params.ids }}])',
    'INSERT INTO t VALUES ({{ params.ids }})',
    'INSERT INTO t (a) VALUES ({{ params.days }})',
    'SELECT a FROM t ORDER BY {{ params.days }}',
    'SELECT * FROM sales_{{ params.days }}, "sales_{{ ds_nodash }}"',
    'SELECT f({{ ds }}, {{ params.table }})',
    'SELECT a IS DISTINCT FROM 1, {{ ds }} FROM t',
    'SELECT extract(day FROM d), {{ ds }} FROM t',
    'SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c IN (1, {{ params.days }})',
    'SELECT a FROM t ORDER BY CASE WHEN b THEN f(1, {{ params.days }}) END, {{ params.days }}',
    'INSERT INTO t SELECT 1, {{ ds }}',
    'INSERT INTO t VALUES (1, {{ ds }}), (2, {{ ds }})',
    'UPDATE t SET a = 1, b = {{ ds }} FROM u WHERE t.id = u.id',
    'CREATE TABLE t AS SELECT 1 FROM a JOIN b ON {{ params.days }} = b.id AND a.n LIKE {{ params.table }}',
    'DELETE FROM t WHERE a = {{ ds }}; SELECT 1, {{ ds }}',
    'SELECT a FROM t LIMIT 1, {{ params.days }}',
    'CREATE TABLE t (a int DEFAULT 1, b text DEFAULT {{ ds }})',
  ];
  for (const sql of VALUES) it(`is a value: ${sql}`, () => assert.deepEqual(compileSql(sql), []));

  it('is used outside of quotes, and in SQL alone', () => {
    assert.match(compileSql('SELECT \'{{ ident("a") }}\'').join('\n'), /^SL510 ident\(…\) and in\(…\) write their own quotes/);
    assert.match(compileSql('SELECT * FROM a_{{ ident("a") }}').join('\n'), /^SL510/);
    assert.match(compileSql('SELECT * FROM {{ ident("a") + "b" }}').join('\n'), /^SL503/);
    assert.match(compileSql('SELECT * FROM {{ ident("a.b") }}').join('\n'), /^SL510 'a.b' has a dot.*ident\(schema, table\)/);
    assert.match(compileSql('SELECT * FROM t WHERE id IN {{ in(params.table) }}').join('\n'), /^SL50[37]/);
    const text = `dag_id: x\n${PARAMS}\ntasks: [{name: a, type: http, path: "/{{ ident(params.table) }}"}, {name: b, type: empty, when: 'size(ident("a")) > 0'}]`;
    const codes = compiler.compile({ file: 'x.yaml', text }).diagnostics.map(({ code }) => code);
    assert.deepEqual(codes, ['SL510', 'SL507']);
  });
});

describe('ident() and in()', () => {
  const evaluator = new Evaluator();
  const render = (template: string, params: object, kind: 'sql' | 'any-sql' = 'sql'): unknown =>
    evaluator.render(template, { params: params as never }, kind);

  it('write names and lists as servers quote them', () => {
    assert.equal(render('FROM {{ ident(params.s, params.t) }}', { s: 'Sales', t: 'order items' }), 'FROM "Sales"."order items"');
    assert.equal(render('SELECT {{ ident(params.c) }} FROM t', { c: ['id', 'select'] }), 'SELECT "id", "select" FROM t');
    for (const form of ['a IN {{ in(params.l) }}', 'a IN ({{ in(params.l) }})', 'a {{ in(params.l) }}'])
      assert.equal(render(form, { l: [1, "x'y", null] }), "a IN (1, 'x''y', NULL)");
    const mysql = render('SELECT "text", {{ ident(params.c) }} FROM t', { c: ['id', 'two words'] }, 'any-sql');
    assert.equal(sqlFor('mysql', String(mysql)), 'SELECT "text", /*name*/`id`, /*name*/`two words` FROM t');
    assert.equal(sqlFor('redshift', String(render('FROM {{ ident(params.t) }}', { t: 'a' }))), 'FROM "a"');
  });

  it('let nothing else into a statement', () => {
    const EVIL = ['a"; DROP TABLE t; --', 'a.b', '', 'a`b', "a'b", 'a\\', 'a\0b', 'a\nb', '\ud800', 'a--b', 'a/*b', 'é'.repeat(32)];
    for (const name of EVIL) {
      for (const template of ['FROM {{ ident(params.n) }}', 'FROM {{ ident("s", params.n) }}', 'SELECT {{ ident([params.n]) }}'])
        assert.throws(() => render(template, { n: name }), /ident\(\)/, JSON.stringify(name));
    }
    assert.equal(render('a IN {{ in(params.l) }}', { l: ["'); DROP TABLE t; --"] }), "a IN ('''); DROP TABLE t; --')");
    assert.throws(() => render('a IN {{ in(params.l) }}', { l: [] }), /no empty list/);
    assert.throws(() => render('SELECT {{ ident(params.l) }}', { l: [] }), /ident\(\)/);
    assert.throws(() => render('FROM {{ ident(params.n) }}', { n: 5 }), /ident/);
  });
});
