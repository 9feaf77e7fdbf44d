import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { type BagRow, comparedBags, drawing } from '../../support/bags.ts';
import { failureOf } from '../../support/failure-of.ts';
import { defineBerlin } from '../../support/mysql-databases.ts';
import { countsOf } from '../../support/reconcile-databases.ts';
import { createShopAndWarehouse, mysqlText, postgresText, sameTable, type ShopAndWarehouse } from '../../support/reconcile-mysql.ts';

/** Texts that are the same to MySQL's collations, to a careless quoting, or to the eye. */
const TEXTS = [
  'Zoe',
  'zoe',
  'zoe ',
  ' zoe',
  '',
  'Zoe\u0308',
  'Zoë',
  "it's",
  '\\',
  '\\n',
  "\\'",
  '"',
  'a,b',
  '-',
  '1:x',
  'ß',
  'ss',
  '😀',
  '\t',
];

describe('values in MySQL and PostgreSQL', function () {
  this.timeout(60_000);
  let both: ShopAndWarehouse;

  before(async function () {
    this.timeout('20m');
    both = await createShopAndWarehouse();
    await defineBerlin(both.mysql);
  });
  after(() => both.drop());

  const run: ShopAndWarehouse['run'] = (params, more) => both.run(params, more);
  const fill: ShopAndWarehouse['fill'] = (...of) => both.fill(...of);

  it('40 times what the test itself finds, for any rows, in either direction', async () => {
    interface Kind {
      readonly mysql: string;
      readonly postgres: string;
      readonly key: boolean;
      readonly normalize?: JsonObject;
      /** SQL of either, and what counts as the same. */
      value(n: number): readonly [string, string, string];
    }
    const same = (text: string): readonly [string, string, string] => [text, text, text];
    const zeros = (n: number): string => String(n).padStart(2, '0');
    const kinds: readonly Kind[] = [
      { mysql: 'int', postgres: 'integer', key: true, value: (n) => same(String(n - 100)) },
      { mysql: 'bigint unsigned', postgres: 'numeric(20)', key: true, value: (n) => same(String(18_446_744_073_709_551_615n - BigInt(n))) },
      { mysql: 'bigint', postgres: 'bigint', key: true, value: (n) => same(String(-9_223_372_036_854_775_808n + BigInt(n))) },
      {
        mysql: 'varchar(20) CHARACTER SET utf8mb4',
        postgres: 'text',
        key: true,
        value: (n) => {
          const text = TEXTS[n % TEXTS.length] ?? '';
          return [mysqlText(text), postgresText(text), text];
        },
      },
      { mysql: 'char(4)', postgres: 'char(6)', key: true, value: (n) => [`'k${n % 3}  '`, `'k${n % 3} '`, `k${n % 3}`] },
      { mysql: 'decimal(12,2)', postgres: 'numeric(12,3)', key: true, value: (n) => same(`-${n}.${'50'.slice(0, n % 3)}0`) },
      { mysql: 'date', postgres: 'date', key: true, value: (n) => same(`'2024-02-${zeros((n % 29) + 1)}'`) },
      { mysql: 'datetime(6)', postgres: 'timestamp', key: false, value: (n) => same(`'1850-01-01 00:00:0${n % 9}.${zeros(n)}'`) },
      {
        mysql: 'timestamp(3) NULL',
        postgres: 'timestamptz',
        key: false,
        value: (n) => [`'2024-07-01 1${n % 3}:00:00.5'`, `'2024-07-01 1${(n % 3) + 2}:00:00.5+02'`, String(n % 3)],
      },
      {
        mysql: 'tinyint(1)',
        postgres: 'boolean',
        key: false,
        normalize: { boolean: true },
        value: (n) => [`${n % 2}`, `${n % 2 === 1}`, `${n % 2}`],
      },
      {
        mysql: 'double',
        postgres: 'double precision',
        key: false,
        normalize: { scale: 3 },
        value: (n) => [`${n / 7}e0`, `${n / 7}`, String(Math.round((n / 7) * 1000))],
      },
      {
        mysql: 'varbinary(9)',
        postgres: 'bytea',
        key: false,
        value: (n) => [`x'00${zeros(n % 90)}'`, `'\\x00${zeros(n % 90)}'`, String(n % 90)],
      },
    ];
    const draw = drawing(7);
    const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T;
    for (let round = 0; round < 40; round += 1) {
      const keys = Array.from({ length: 1 + draw(2) }, () => pick(kinds.filter(({ key }) => key)));
      const all = [...keys, ...Array.from({ length: draw(5) }, () => pick(kinds))];
      const range = pick([3, 20, 400]);
      const row = () => all.map(({ value }) => (draw(12) === 0 ? (['NULL', 'NULL', null] as const) : value(draw(range))));
      const common = Array.from({ length: draw(200) }, row);
      const [one, other] = [[...common], [...common]];
      for (let change = draw(6); change > 0; change -= 1) pick([one, other]).push(row());
      for (let change = draw(4); change > 0; change -= 1) pick([one, other]).splice(draw(common.length + 1), 1);
      const name = `random_${round}`;
      const sql = (rows: readonly ReturnType<typeof row>[], at: 0 | 1): string =>
        rows.map((values) => `(${values.map((value) => value[at]).join(', ')})`).join(', ');
      const columns = (of: 'mysql' | 'postgres'): string => all.map((kind, index) => `c${index} ${kind[of]}`).join(', ');
      await fill(name, [columns('mysql'), sql(one, 0)], [columns('postgres'), sql(other, 1)]);
      const bag = (rows: readonly ReturnType<typeof row>[]): BagRow[] => rows.map((values) => values.map(([, , text]) => text));
      const forth = round % 3 > 0;
      const sides = forth ? sameTable(name) : { source: { conn_id: 'warehouse', table: name }, target: { conn_id: 'shop', table: name } };
      const result = await run({
        ...sides,
        key: keys.map((_, index) => `c${index}`),
        normalize: Object.fromEntries(all.flatMap(({ normalize }, index) => (normalize ? [[`c${index}`, normalize]] : []))),
      });
      const [source, target] = forth ? [bag(one), bag(other)] : [bag(other), bag(one)];
      assert.deepEqual(countsOf(result), comparedBags(source, target, keys.length), `round ${round}: ${columns('mysql')}`);
    }
  }).timeout(180_000);

  describe('values that look different', () => {
    const berlin = { timezone: 'Europe/Berlin' };
    const cases: readonly (readonly [string, string, string, string, string, JsonObject | undefined, boolean | RegExp])[] = [
      ['upper and lower case', 'varchar(9)', "'Zoe'", 'text', "'zoe'", undefined, false],
      ['upper and lower case, as one', 'varchar(9)', "'ZOË'", 'text', "'zoë'", { ignore_case: true }, true],
      ['a blank at the end', 'varchar(9)', "'a '", 'text', "'a'", undefined, false],
      ['a blank at the end, trimmed', 'varchar(9)', "' a '", 'text', "'a'", { trim: true }, true],
      ['padding', 'char(5)', "'a'", 'char(9)', "'a'", undefined, true],
      ['a text in another character set', 'varchar(9) CHARACTER SET latin1', "'Zoë'", 'text', "'Zoë'", undefined, true],
      ['a text that quoting could change', 'text', mysqlText("\\'; \\n"), 'text', postgresText("\\'; \\n"), undefined, true],
      ['NULL and the empty text', 'varchar(9)', "''", 'text', 'NULL', undefined, false],
      ['NULL and the empty text, as one', 'varchar(9)', "''", 'text', 'NULL', { empty_is_null: true }, true],
      ['a blank and the empty text', 'varchar(9)', "' '", 'text', 'NULL', { empty_is_null: true }, false],
      ['an accent of its own', 'varchar(9)', mysqlText('e\u0308'), 'text', "'ë'", undefined, false],
      [
        'an accent of its own, composed',
        'varchar(9)',
        mysqlText('e\u0308'),
        'text',
        "'ë'",
        { unicode: 'nfc' },
        /MySQL cannot compose Unicode/,
      ],
      ['one of a list', "enum('a','b')", "'b'", 'text', "'b'", undefined, true],
      ['digits after the point', 'decimal(9,1)', '1.5', 'numeric(9,3)', '1.500', undefined, true],
      ['a half, rounded', 'decimal(9,3)', '-2.675', 'numeric(9,2)', '-2.68', { scale: 2 }, true],
      ['nearly a half, rounded', 'double', '0.1249999999999999e0', 'double precision', '0.12', { scale: 2 }, true],
      ['nothing, below zero', 'double', '-0.001e0', 'numeric(9,2)', '0', { scale: 2 }, true],
      ['floats', 'double', '0.1e0', 'double precision', '0.1', undefined, /is double .* double precision .*\{scale: 2\}/],
      ['a number that no decimal holds', 'double', '1e80', 'double precision', '1e81', { scale: 2 }, false],
      ['a number without a sign', 'bigint unsigned', '18446744073709551615', 'numeric(20)', '18446744073709551615', undefined, true],
      ['a number that is shown with zeros', 'int(6) zerofill', '5', 'integer', '5', undefined, true],
      ['tinyint(1)', 'tinyint(1)', '1', 'boolean', 'true', undefined, /is tinyint\(1\) .* boolean .*\{boolean: true\}/],
      ['tinyint(1), declared', 'tinyint(1)', '1', 'boolean', 'true', { boolean: true }, true],
      ['tinyint(1) that is no boolean', 'tinyint(1)', '2', 'boolean', 'true', { boolean: true }, false],
      ['a bit', 'bit(1)', "b'1'", 'boolean', 'true', { boolean: true }, true],
      ['a day that is none', 'date', "'0000-00-00'", 'date', 'NULL', undefined, false],
      ['a time that is none, in a zone', 'datetime', "'0000-00-00'", 'timestamptz', 'NULL', berlin, false],
      ['an endless time', 'datetime', 'NULL', 'timestamp', "'infinity'", undefined, false],
      ['a time of another era', 'datetime', "'0001-01-01'", 'timestamp', "'0001-01-01 BC'", undefined, false],
      ['parts of a second', 'datetime(6)', "'2024-07-01 12:00:00.123456'", 'timestamp', "'2024-07-01 12:00:00.123456'", undefined, true],
      [
        'parts of a second, cut',
        'datetime(6)',
        "'2024-07-01 12:00:00.123456'",
        'timestamp',
        "'2024-07-01 12:00:00.123'",
        { precision: 'millisecond' },
        true,
      ],
      ['a date and a time', 'datetime', "'2024-07-01 12:00:00'", 'date', "'2024-07-01'", { precision: 'day' }, true],
      [
        'times with and without a zone',
        'datetime',
        "'2024-07-01 12:00:00'",
        'timestamptz',
        "'2024-07-01 12:00+02'",
        undefined,
        /\{timezone: /,
      ],
      ['the same, declared', 'datetime', "'2024-07-01 12:00:00'", 'timestamptz', "'2024-07-01 12:00+02'", berlin, true],
      ['an hour that is there twice', 'datetime', "'2024-10-27 02:30:00'", 'timestamp', "'2024-10-27 02:30'", berlin, true],
      ['an hour that is left out', 'datetime', "'2024-03-31 02:30:00'", 'timestamp', "'2024-03-31 02:30'", berlin, true],
      ['the hour before that', 'datetime', "'2024-03-31 01:30:00'", 'timestamptz', "'2024-03-31 00:30+00'", berlin, true],
      [
        'a zone that the server does not know',
        'datetime',
        "'2024-07-01'",
        'timestamptz',
        "'2024-07-01'",
        { timezone: 'Mars/Olympus' },
        /knows no time zone 'Mars\/Olympus'.*mysql_tzinfo_to_sql/,
      ],
      [
        'an identifier',
        'uuid',
        "'00000000-0000-4000-8000-00000000000A'",
        'uuid',
        "'00000000-0000-4000-8000-00000000000a'",
        undefined,
        true,
      ],
      ['a time of day', 'time', "'12:00:00'", 'time', "'12:00:00'", undefined, /cannot be compared: give a 'query' that casts/],
    ];
    for (const [index, [name, typeOfMySQL, ofMySQL, typeOfPostgres, ofPostgres, normalization, expected]] of cases.entries()) {
      it(`${name}: ${expected === true ? 'the same' : expected === false ? 'not the same' : 'asks'}`, async () => {
        await fill(`look_${index}`, [`id int, x ${typeOfMySQL}`, `(1, ${ofMySQL})`], [`id int, x ${typeOfPostgres}`, `(1, ${ofPostgres})`]);
        const task = run({ ...sameTable(`look_${index}`), key: ['id'], ...(normalization && { normalize: { x: normalization } }) });
        if (typeof expected === 'boolean') assert.equal((await task).changed, expected ? 0 : 1);
        else assert.match((await failureOf(task)).message, expected);
      });
    }
  });
});
