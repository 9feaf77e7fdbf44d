import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TestDatabase } from '../../support/databases.ts';
import { failureOf } from '../../support/failure-of.ts';
import { createReconcileDatabases, type ReconcileDatabases } from '../../support/reconcile-databases.ts';

describe('values that look different to reconcile', function () {
  this.timeout(60_000);
  let databases: ReconcileDatabases;
  let source: TestDatabase;
  let target: TestDatabase;

  before(async function () {
    this.timeout('20m');
    databases = await createReconcileDatabases();
    ({ source, target } = databases);
  });
  after(() => databases.drop());

  const run: ReconcileDatabases['run'] = (params, more) => databases.run(params, more);
  const values = (database: TestDatabase, name: string, columns: string, rows: string): Promise<unknown> =>
    database.rows(`CREATE TABLE ${name} (${columns}); INSERT INTO ${name} VALUES ${rows}`);
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
    ['times with and without a zone', 'timestamptz', `'2024-07-01 12:00+02'`, 'timestamp', `'2024-07-01 12:00'`, undefined, /\{timezone: /],
    ['the same, declared', 'timestamptz', `'2024-07-01 12:00+02'`, 'timestamp', `'2024-07-01 12:00'`, { timezone: 'Europe/Berlin' }, true],
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
