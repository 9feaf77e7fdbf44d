import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { defineBerlin } from '../../support/mysql-databases.ts';
import { exportTable } from '../../support/export-table.ts';
import { createShopAndWarehouse, mysqlText, postgresText, type ShopAndWarehouse } from '../../support/reconcile-mysql.ts';

interface Conformance {
  readonly what: string;
  /** The types of PostgreSQL, whose table the data set is written from, and of MySQL. */
  readonly types: readonly [string, string];
  /** SQL of values that count as the same, and of one that does not. */
  readonly same: readonly [string, string];
  readonly other: readonly [string, string];
  readonly normalize?: JsonObject;
}

const both = (text: string): readonly [string, string] => [text, text];
const texts = (text: string): readonly [string, string] => [postgresText(text), mysqlText(text)];

const TABLE: readonly Conformance[] = [
  { what: 'whole numbers', types: ['bigint', 'bigint'], same: both('-9223372036854775808'), other: both('0') },
  { what: 'whole numbers of other widths', types: ['smallint', 'int'], same: both('-5'), other: both('5') },
  {
    what: 'whole numbers beyond eight bytes',
    types: ['numeric(20)', 'bigint unsigned'],
    same: both('18446744073709551615'),
    other: both('18446744073709551614'),
  },
  { what: 'zeros after the point', types: ['numeric(12,3)', 'decimal(12,1)'], same: both('-1.500'), other: ['-1.501', '-1.4'] },
  {
    what: 'more digits than eight bytes hold',
    types: ['numeric(38,10)', 'decimal(38,10)'],
    same: both('1234567890123456789012345678.0123456789'),
    other: both('1234567890123456789012345678.0123456788'),
  },
  {
    what: 'more digits than DuckDB holds',
    types: ['numeric(60,2)', 'decimal(60,2)'],
    same: both(`${'9'.repeat(58)}.25`),
    other: both(`${'9'.repeat(58)}.26`),
  },
  {
    what: 'numbers without a limit, rounded',
    types: ['numeric', 'decimal(12,4)'],
    same: ['2.675', '2.6751'],
    other: both('2.64'),
    normalize: { scale: 1 },
  },
  {
    what: 'halves, away from zero',
    types: ['numeric(9,3)', 'decimal(9,3)'],
    same: ['-2.675', '-2.68'],
    other: both('-2.674'),
    normalize: { scale: 2 },
  },
  {
    what: 'floats, rounded',
    types: ['double precision', 'double'],
    same: ['0.1249999999999999', '0.12e0'],
    other: ['0.125', '0.125e0'],
    normalize: { scale: 2 },
  },
  {
    what: 'floats below zero that are none when rounded',
    types: ['real', 'float'],
    same: ['-0.001', '0.001e0'],
    other: ['0.01', '0.01e0'],
    normalize: { scale: 2 },
  },
  {
    what: 'booleans',
    types: ['boolean', 'tinyint(1)'],
    same: ['true', '1'],
    other: ['false', '0'],
    normalize: { boolean: true },
  },
  { what: 'texts with quotes, breaks and backslashes', types: ['text', 'text'], same: texts('a"b\\\r\n,\'ë😀\t\\N'), other: texts('a"b') },
  { what: 'upper case', types: ['text', 'varchar(9)'], same: texts('Zoë'), other: texts('zoë') },
  {
    what: 'upper case, as one',
    types: ['text', 'varchar(9)'],
    same: ["'ZOË'", "'zoë'"],
    other: texts('zo'),
    normalize: { ignore_case: true },
  },
  { what: 'blanks at the end', types: ['text', 'varchar(9)'], same: texts('a '), other: texts('a') },
  {
    what: 'blanks at both ends, trimmed',
    types: ['text', 'varchar(9)'],
    same: ["' a '", "'a'"],
    other: texts('\ta'),
    normalize: { trim: true },
  },
  { what: 'padding', types: ['char(9)', 'char(5)'], same: both("'a'"), other: both("'b'") },
  { what: 'the empty text', types: ['text', 'varchar(9)'], same: both("''"), other: both('NULL') },
  {
    what: 'the empty text and NULL, as one',
    types: ['text', 'varchar(9)'],
    same: ["''", 'NULL'],
    other: both("' '"),
    normalize: { empty_is_null: true },
  },
  { what: 'NULL', types: ['integer', 'int'], same: both('NULL'), other: both('0') },
  { what: 'accents, composed or not', types: ['text', 'varchar(9)'], same: texts('ë'), other: texts('e\u0308') },
  { what: 'days', types: ['date', 'date'], same: both("'2024-02-29'"), other: both("'2024-03-01'") },
  {
    what: 'times without a zone, to the microsecond',
    types: ['timestamp', 'datetime(6)'],
    same: both("'1850-07-01 12:00:00.123456'"),
    other: both("'1850-07-01 12:00:00.123457'"),
  },
  {
    what: 'times with a zone',
    types: ['timestamptz', 'timestamp(3) NULL'],
    same: ["'2024-07-01 12:00:00.5+02'", "'2024-07-01 10:00:00.5'"],
    other: ["'2024-07-01 12:00:00.5+00'", "'2024-07-01 12:00:00.5'"],
  },
  {
    what: 'times without a zone that is declared, in an hour that is there twice',
    types: ['timestamptz', 'datetime'],
    same: ["'2024-10-27 01:30:00+00'", "'2024-10-27 02:30:00'"],
    other: ["'2024-10-27 00:30:00+00'", "'2024-10-27 01:30:00'"],
    normalize: { timezone: 'Europe/Berlin' },
  },
  {
    what: 'times, cut down to the millisecond',
    types: ['timestamp', 'datetime(6)'],
    same: ["'2024-07-01 12:00:00.123456'", "'2024-07-01 12:00:00.123'"],
    other: both("'2024-07-01 12:00:00.124'"),
    normalize: { precision: 'millisecond' },
  },
  {
    what: 'days and times of them',
    types: ['date', 'datetime'],
    same: ["'2024-07-01'", "'2024-07-01 23:59:59'"],
    other: both("'2024-07-02'"),
    normalize: { precision: 'day' },
  },
  { what: 'bytes', types: ['bytea', 'varbinary(9)'], same: ["'\\x00ff'", "x'00ff'"], other: ["'\\x00'", "x'00'"] },
  {
    what: 'identifiers',
    types: ['uuid', 'uuid'],
    same: ["'00000000-0000-4000-8000-00000000000a'", "'00000000-0000-4000-8000-00000000000A'"],
    other: both("'00000000-0000-4000-8000-00000000000b'"),
  },
];

describe('values in PostgreSQL, in MySQL and in a dataset', function () {
  this.timeout(60_000);
  let sides: ShopAndWarehouse;

  before(async function () {
    this.timeout('20m');
    sides = await createShopAndWarehouse();
    await defineBerlin(sides.mysql);
  });
  after(() => sides.drop());

  for (const [index, { what, types, same, other, normalize }] of TABLE.entries()) {
    it(`${what}: the same where they are, and not where they are not`, async () => {
      const name = `conforms_${index}`;
      const [right, wrong] = [name, `${name}_not`];
      await sides.fill(right, [`id int, x ${types[1]}`, `(1, ${same[1]})`], [`id int, x ${types[0]}`, `(1, ${same[0]})`]);
      await sides.fill(wrong, [`id int, x ${types[1]}`, `(1, ${other[1]})`], [`id int, x ${types[0]}`, `(1, ${other[0]})`]);
      const dataset = await exportTable(sides.postgres, sides.bucket, right);
      const [shop, warehouse, lake] = [
        (table: string) => ({ conn_id: 'shop', table }),
        (table: string) => ({ conn_id: 'warehouse', table }),
        { conn_id: 'aws_default', dataset },
      ];
      const changed = async (source: JsonObject, target: JsonObject): Promise<number> => {
        const result = await sides.run({ source, target, key: ['id'], ...(normalize && { normalize: { x: normalize } }) });
        assert.deepEqual([result.compared, result.missing, result.extra], [1, 0, 0]);
        return result.changed;
      };
      const agreed = [
        await changed(lake, warehouse(right)),
        await changed(shop(right), lake),
        await changed(shop(right), warehouse(right)),
      ];
      const differing = [
        await changed(lake, warehouse(wrong)),
        await changed(shop(wrong), lake),
        await changed(shop(wrong), warehouse(right)),
      ];
      assert.deepEqual(
        [agreed, differing],
        [
          [0, 0, 0],
          [1, 1, 1],
        ],
      );
    });
  }
});
