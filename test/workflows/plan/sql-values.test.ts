import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Evaluator, ExpressionFailed } from '../../../workflows/plan/expressions/evaluator.ts';
import { readSql, type SqlReading } from '../../../workflows/plan/expressions/read-sql.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { caseCount } from '../../support/random-cases.ts';

const evaluator = new Evaluator();
const render = (template: string, x: Json): string => String(evaluator.render(template, { params: { x } }, 'sql'));

const WRITTEN: readonly (readonly [template: string, value: Json, sql: string])[] = [
  ['SELECT {{ params.x }}', "O'Brien", "SELECT 'O''Brien'"],
  ['SELECT {{ params.x }}', "'; DROP TABLE orders; --", "SELECT '''; DROP TABLE orders; --'"],
  ['SELECT {{ params.x }}', 'C:\\temp', "SELECT E'C:\\\\temp'"],
  ['SELECT {{ params.x }}', "\\'; DROP TABLE orders; --", "SELECT E'\\\\''; DROP TABLE orders; --'"],
  ["SELECT 'of {{ params.x }}'", "O'Brien", "SELECT 'of O''Brien'"],
  ["SELECT 'of {{ params.x }}'", "\\'", "SELECT E'of \\\\'''"],
  ['SELECT "{{ params.x }}"', 'a"b', 'SELECT "a""b"'],
  ['SELECT * FROM {{ ident("sales", params.x) }}', 'we ird', 'SELECT * FROM "sales"."we ird"'],
  ['SELECT 1 -{{ params.x }}', -1, 'SELECT 1 -(-1)'],
  ['SELECT {{ params.x }}', null, 'SELECT NULL'],
  ['SELECT {{ params.x }}', true, 'SELECT TRUE'],
  ['SELECT * FROM t WHERE n {{ in(params.x) }}', ["a'b", 'c'], "SELECT * FROM t WHERE n IN ('a''b', 'c')"],
  ['SELECT * FROM sales_{{ params.x }}', 2026, 'SELECT * FROM sales_2026'],
];

/** Where a text can stand, and what a server finds there. */
const PLACES: readonly (readonly [template: string, read: (sql: string, reading: SqlReading) => string | undefined])[] = [
  ['SELECT a FROM t WHERE b = {{ params.x }} AND c', textIn],
  ["SELECT a FROM t WHERE b = '{{ params.x }}' AND c", textIn],
  ['SELECT "{{ params.x }}" FROM t', nameIn],
];

/** The text that a server reads. */
function textIn(sql: string, reading: SqlReading): string | undefined {
  const found = readSql(sql, reading).find(({ kind }) => kind === 'text' || kind === 'escape text');
  if (!found) return undefined;
  const text = sql.slice(found.start, found.end);
  const isEscaped = found.kind === 'escape text' || (reading === 'backslash' && text.includes('\\'));
  const inner = text.slice(text.indexOf("'") + 1, -1);
  return isEscaped ? inner.replace(/\\([^])|''/g, (_, escaped: string | undefined) => escaped ?? "'") : inner.replaceAll("''", "'");
}

/** The name that a server reads. */
function nameIn(sql: string, reading: SqlReading): string | undefined {
  const found = readSql(sql, reading).find(({ kind }) => kind === 'identifier');
  return found && sql.slice(found.start + 1, found.end - 1).replaceAll('""', '"');
}

/** What is around the value: the same whatever the value is. */
function shapeOf(sql: string, reading: SqlReading): string[] {
  return readSql(sql, reading).map(({ kind, start, end }) =>
    /^(escape )?text$|^identifier$/.test(kind) ? 'value' : sql.slice(start, end),
  );
}

describe('values in SQL', () => {
  for (const [template, value, sql] of WRITTEN)
    it(`${template} with ${JSON.stringify(value)} is ${sql}`, () => assert.equal(render(template, value), sql));

  for (const name of ['a"b', "a'b", 'a;b', 'a\\b', 'a--b', 'a/*b', 'a\nb', ''])
    it(`${JSON.stringify(name)} is not a name for ident()`, () => {
      assert.throws(() => render('SELECT * FROM {{ ident(params.x) }}', name), ExpressionFailed);
    });

  it('are read back by servers as they were, and change nothing around them', () => {
    const pieces = fc.constantFrom("'", "''", '"', '\\', "\\'", '--', '/*', ';', '$$', "E'", 'é', ' ', '\n', 'x', '{{', '%');
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    const isWritable = (value: string): boolean => value !== '' && !/[\0\p{Surrogate}]/u.test(value);
    fc.assert(
      fc.property(text.filter(isWritable), fc.constantFrom(...PLACES), (value, [template, read]) => {
        const sql = render(template, value);
        for (const reading of ['standard', 'backslash'] as const) {
          assert.equal(read(sql, reading), value, `${reading}: ${sql}`);
          assert.deepEqual(shapeOf(sql, reading), shapeOf(render(template, 'x'), reading), `${reading}: ${sql}`);
        }
      }),
      { numRuns: caseCount(5_000), seed: 25 },
    );
  });
});
