import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

/** What a task of type `sql` tells of a value: SQL → JSON. */
const VALUES: readonly (readonly [sql: string, value: unknown])[] = [
  ["timestamptz '294000-01-01'", '294000-01-01 00:00:00+00'],
  ["timestamp '294000-01-01 12:00'", '294000-01-01 12:00:00'],
  ["date '5874897-12-31'", '5874897-12-31'],
  ["timestamptz '-infinity'", '-infinity'],
  ["date 'infinity'", 'infinity'],
  ["timestamptz '0044-03-15 12:00+00 BC'", '-000043-03-15T12:00:00.000Z'],
  ["timestamptz '4714-11-24 00:00+00 BC'", '-004713-11-24T00:00:00.000Z'],
  ["timestamptz '2024-02-29 12:00+02'", '2024-02-29T10:00:00.000Z'],
  ["timestamptz '2024-02-29 12:00:00.123456+00'", '2024-02-29T12:00:00.123456Z'],
  ["timestamp '0099-12-31 23:59:59.5'", '0099-12-31T23:59:59.500Z'],
  ["date '2024-02-29'", '2024-02-29T00:00:00.000Z'],
  ["interval '1 mon 2 days 03:00:00'", '1 mon 2 days 03:00:00'],
  ["numeric 'NaN'", 'NaN'],
  ["numeric '12345678901234567890.123'", '12345678901234567890.123'],
  ["float8 'NaN'", 'NaN'],
  ["float4 '-Infinity'", '-Infinity'],
  ['0.1::float8', 0.1],
  ['9007199254740993', '9007199254740993'],
  ['7::int2', 7],
  ['true', true],
  ['NULL::timestamptz', null],
  ["'\\x00ff'::bytea", 'AP8='],
  ['\'{"a": [1, null]}\'::jsonb', { a: [1, null] }],
  [
    "ARRAY[timestamptz '294000-01-01', 'infinity', NULL, '2024-01-01']",
    ['294000-01-01 00:00:00+00', 'infinity', null, '2024-01-01T00:00:00.000Z'],
  ],
  ["ARRAY[1.10, 'NaN']::numeric[]", ['1.10', 'NaN']],
  [
    'ARRAY[[1, 2], [3, NULL]]',
    [
      [1, 2],
      [3, null],
    ],
  ],
  ['ARRAY[true, false]', [true, false]],
  ["point '(1,NaN)'", '(1,NaN)'],
];

describe('values that sql tasks return', function () {
  this.timeout('2m');
  let runs: YamlRuns;

  before(async function () {
    this.timeout('20m');
    runs = await createYamlRuns({ parts: ['temporal', 'postgres'] });
  });
  after(() => runs.close());

  const sql = (statement: string): string =>
    `dag_id: values\nschedule_interval: null\ntasks: [{name: q, type: sql, retries: 0, sql: ${JSON.stringify(statement)}}]\n`;

  it('are what the server wrote, also where JavaScript or JSON has no such value', async () => {
    const columns = VALUES.map(([value], index) => `${value} AS v${index}`);
    const { state, tasks } = await runs.run(sql(`SET TIME ZONE 'UTC'; SELECT ${columns.join(', ')}`));
    assert.equal(state, 'success', tasks.q?.error);
    const { first } = tasks.q?.output as { first: Record<string, unknown> };
    for (const [index, [value, expected]] of VALUES.entries()) assert.deepEqual(first[`v${index}`], expected, value);
    assert.equal(runs.worker.child.exitCode, null);
  });

  it('are text where the role writes times and intervals in its own way', async () => {
    const { tasks } = await runs.run(
      sql(`SET datestyle = 'German, DMY'; SET intervalstyle = 'iso_8601';
           SELECT timestamp '2024-02-29 12:00' AS at, interval '1 day 02:00' AS span`),
    );
    assert.deepEqual(tasks.q?.output, { rows: 1, first: { at: '29.02.2024 12:00:00', span: 'P1DT2H' } });
  });
});
