import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createYamlRuns, planOf, type YamlRuns } from '../../support/yaml-runs.ts';

/** Places in SQL where a value could end what it stands in, on one server or another. */
const REFUSED: readonly (readonly [title: string, sql: string])[] = [
  ['a nested comment', 'SELECT 1 /* /* */ {{ params.v }} */'],
  ['a comment to the end of the line', 'SELECT 1 -- {{ params.v }}'],
  ['a text with escapes', "SELECT E'{{ params.v }}'"],
  ['a text with escapes that goes on in the next line', "SELECT E'a'\n'{{ params.v }}'"],
  ['a text with escapes that goes on behind a comment', "SELECT E'a' -- b\n  '{{ params.v }}'"],
  ['a text that goes on in the next line', "SELECT 'a'\n'{{ params.v }}'"],
  ['the next piece of a text with escapes', "SELECT E'a'\n{{ params.v }}"],
  ['the piece before a text', "SELECT {{ params.v }}\n'b\\'"],
  ['directly behind a text', "SELECT 'a'{{ params.v }}"],
  ['directly behind another value', 'SELECT {{ params.v }}{{ params.v }}'],
  ['behind another value', 'SELECT {{ params.v }} {{ params.v }}'],
  ['a text between dollar signs', 'SELECT $$ {{ params.v }} $$'],
  ['a tag beyond ASCII', 'SELECT $ü$ {{ params.v }} $ü$'],
  ['a tag that is an expression', 'SELECT ${{ params.v }}$'],
  ['behind a letter that would change a text', 'SELECT E{{ params.v }}'],
  ['behind U&', 'SELECT U&{{ params.v }}'],
  ['directly before a word', 'SELECT {{ params.v }}abc'],
  ['directly before a dollar sign', "SELECT {{ params.v }}$a$ ' $a$"],
  ['a text with Unicode escapes', "SELECT U&'{{ params.v }}'"],
  ['a name with Unicode escapes', 'SELECT U&"{{ params.v }}" FROM t'],
  ['bits', "SELECT B'{{ params.v }}'"],
  ['bytes', "SELECT X'{{ params.v }}'"],
  ['national text', "SELECT N'{{ params.v }}'"],
  ['behind a backslash', "SELECT '\\{{ params.v }}'"],
  ['a text with a backslash', "SELECT 'C:\\dir {{ params.v }}'"],
  ['behind a text that ends with a backslash', "SELECT 'C:\\', {{ params.v }}"],
  ['between texts with backslashes', "SELECT 'a\\', '{{ params.v }}', 'b\\'"],
  ['behind a number that runs into a letter', "SELECT 1E'a\\', {{ params.v }}"],
  ['behind a parameter that runs into a dollar sign', "SELECT $1$a$, ' $a$, {{ params.v }}"],
  ['part of a name, a text', 'SELECT * FROM sales_{{ params.v }}'],
  ['part of a number', 'SELECT 1{{ params.v }}'],
];

/** The same for SQL that MySQL may read. */
const REFUSED_FOR_MYSQL: typeof REFUSED = [
  ['backticks', 'SELECT `{{ params.v }}` FROM t'],
  ['behind a quote in backticks', "SELECT `it's`, {{ params.v }}, '`'"],
  ['a comment of MySQL', 'SELECT 1 # {{ params.v }}'],
  ['behind a quote in a comment of MySQL', "SELECT 1 # it's\n, {{ params.v }} -- '"],
  ['behind a comment that MySQL carries out', "SELECT 1 /*! , 'a */ , {{ params.v }}"],
  ['behind a comment that MariaDB carries out', "SELECT 1 /*M!100100 , 'a */ , {{ params.v }}"],
  ['behind a comment that MySQL ends earlier', "SELECT 1 /* /* */ ' */ , {{ params.v }} -- '"],
  ['behind dashes that are no comment there', "SELECT 1 --'\n , {{ params.v }}"],
  ['behind a tag that is a name there', "SELECT $a$ ' $a$, {{ params.v }}"],
];

const TAKEN: readonly string[] = [
  "SELECT 'it''s', {{ params.v }}, '{{ params.v }}', \"a{{ params.v }}\", e'\\\\' || {{ params.v }}",
  'SELECT * FROM sales_{{ params.n }} WHERE a = -{{ params.n }} AND b IN ({{ params.l }})',
  "SELECT '{\"a\": 1}'::jsonb #>> '{a}', {{ params.v }}::date, date {{ params.v }}",
  "SELECT 'a'\n'b', {{ params.v }}",
];

const file = (task: string): string =>
  `dag_id: places\nschedule_interval: null\nparams: {v: a, n: 1, l: {type: array, default: [1]}}\ntasks:\n  - ${task}\n`;
const sqlTask = (sql: string): string => file(`{name: a, type: sql, sql: ${JSON.stringify(sql)}}`);
const reconcileTask = (sql: string): string => {
  const side = `{conn_id: postgres_default, query: ${JSON.stringify(sql)}}`;
  return file(`{name: a, type: reconcile, source: ${side}, target: {conn_id: postgres_default, table: t}, key: [id]}`);
};

describe('places in SQL', () => {
  for (const [title, sql] of REFUSED) {
    it(`no value is written: ${title}`, () => {
      assert.throws(() => planOf(sqlTask(sql)), /"code":"SL510"/);
      assert.throws(() => planOf(reconcileTask(sql)), /"code":"SL510"/);
    });
  }
  for (const [title, sql] of REFUSED_FOR_MYSQL) {
    it(`no value is written where MySQL may read it: ${title}`, () => {
      assert.throws(() => planOf(reconcileTask(sql)), /"code":"SL510"/);
    });
  }
  for (const sql of TAKEN) it(`a value is written: ${sql}`, () => assert.ok(planOf(sqlTask(sql))));
});

describe('a value that SQL cannot hold', function () {
  this.timeout('2m');
  let runs: YamlRuns;

  before(async function () {
    this.timeout('20m');
    runs = await createYamlRuns({ parts: ['temporal', 'postgres'] });
  });
  after(() => runs.close());

  it('fails its task, with the reason', async () => {
    const task =
      'dag_id: refused\nschedule_interval: null\nparams: {v: {}}\ntasks: [{name: a, type: sql, retries: 0, sql: "SELECT {{ params.v }}"}]\n';
    for (const [v, reason] of [
      ['a\0b', /NUL character/],
      ['\ud800', /lone surrogate/],
      [[], /SQL has no empty list/],
    ] as const) {
      const { state, tasks } = await runs.run(task, { params: { v } });
      assert.equal(state, 'failed');
      assert.match(tasks.a?.error ?? '', reason);
    }
  });

  it('is a name that holds more than a name; others are written as names, and lists for IN', async () => {
    const statement = 'SELECT {{ ident(params.c) }} FROM {{ ident(params.s, params.t) }} WHERE {{ ident(params.c) }} IN {{ in(params.l) }}';
    const task = `dag_id: named\nschedule_interval: null\nparams: {s: pg_catalog, t: pg_class, c: relname, l: {type: array, default: [pg_class]}}\ntasks: [{name: a, type: sql, retries: 0, sql: "${statement}"}]\n`;
    assert.equal((await runs.run(task, { params: {} })).state, 'success');
    const { state, tasks } = await runs.run(task, { params: { t: 'pg_class"; SELECT 1; --' } });
    assert.equal(state, 'failed');
    assert.match(tasks.a?.error ?? '', /ident\(\): .*holds a quote/);
  });
});
