import type { TestDatabase } from './databases.ts';

/** A name that must always be quoted, and is harmful otherwise. */
export const ODD_TABLE = `Odd "Table"; DROP TABLE x--`;
export const ODD_COLUMN = `Some "Column"; 'x'`;

/** Texts that break naive exports, one per row. */
export const ODD_TEXTS: readonly (string | null)[] = [
  null,
  '',
  ' ',
  '  both ends  ',
  '"',
  '""',
  'a "quoted" word',
  'a,b;c|d\te',
  'line\nbreak',
  'carriage\r\nreturn',
  'lone\rreturn',
  '\n',
  '\\',
  '\\N',
  '\\.',
  'before\n\\.\nafter',
  '\\n is not a newline',
  'NULL',
  'null',
  "it's",
  '😀 emoji, 漢字, ünï, \u202eright to left',
  '{"json": "in \\"text\\""}',
  '=1+1',
  '\u0001\u0002\u0007',
  'x'.repeat(10_000),
];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Columns that Redshift supports too. */
const PLAIN = `id integer PRIMARY KEY, ${quoted(ODD_COLUMN)} varchar(20000), small smallint, big bigint, amount numeric(38, 10), ratio double precision,
  flag boolean, day date, at timestamp, at_zone timestamptz`;
const POSTGRES_ONLY = `, raw bytea, doc jsonb, doc_text json, words text[], grid integer[], uid uuid, span interval, place point`;

/** Creates an empty table for odd rows. */
export async function createOddTable(database: TestDatabase, table: string, plain = false): Promise<void> {
  await database.rows(`CREATE TABLE ${quoted(table)} (${PLAIN}${plain ? '' : POSTGRES_ONLY})`);
}

/** Fills a table with every odd text, the extreme values of each type, and NULL in every column. */
export async function fillOddTable(database: TestDatabase, table: string, plain = false): Promise<number> {
  const extremes = [
    [
      -32768,
      '-9223372036854775808',
      '-9999999999999999999999999999.9999999999',
      '-1.7976931348623157e308',
      true,
      '0001-01-01',
      '1970-01-01 00:00:00',
      '1900-01-01 00:00:00+05:30',
    ],
    [
      32767,
      '9223372036854775807',
      '9999999999999999999999999999.9999999999',
      '5e-324',
      false,
      '9999-12-31',
      '2024-02-29 23:59:59.999999',
      '2024-03-31 02:30:00 Europe/Berlin',
    ],
    [0, '0', '0.0000000001', '0.1', null, '2000-02-29', '2038-01-19 03:14:08.5', '2262-04-11 23:47:16.854775+00'],
    [null, null, null, null, null, null, null, null],
  ];
  const others = [
    [
      Buffer.from([0, 1, 2, 10, 13, 34, 44, 92, 255]),
      '{"a": [1, null, "x\\ny"], "n": 12345678901234567890.123}',
      '{\n "k" :\r\n 1}',
      ['a', '', null, 'NULL', 'x,"y"\\{}'],
      [
        [1, 2],
        [3, 4],
      ],
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      '1 year 2 mons 3 days 04:05:06.789',
      '(1.5,-2)',
    ],
    [Buffer.alloc(0), '"text"', 'null', [], [], null, '-00:00:01', null],
    [null, null, null, null, null, null, null, null],
  ];
  let id = 0;
  for (const text of ODD_TEXTS) {
    const row = [id, text, ...(extremes[id % extremes.length] ?? []), ...(plain ? [] : (others[id % others.length] ?? []))];
    await database.rows(`INSERT INTO ${quoted(table)} VALUES (${row.map((_, index) => `$${index + 1}`).join(', ')})`, row);
    id += 1;
  }
  return id;
}
