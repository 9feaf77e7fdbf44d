import assert from 'node:assert/strict';
import type { Column, DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import { type CsvRow, objectNames, putDataset, readDataset, readFiles } from '../support/s3-dataset.ts';
import { startSparkAttempt } from '../support/spark-attempt.ts';
import { sparkSetting } from '../support/spark-setting.ts';

const TEXTS: readonly (string | null)[] = [
  ...['plain', '', null, 'a,b', ',', 'q"q', '"', '""', '"""', '"starts', 'ends"', '"both"', '","', "it's", "'\"'"],
  ...['line\nbreak', '\n', '\n\n', 'cr\rlf', '\r', 'crlf\r\nend', '\r\n', 'x\r', 'x\n', '\nx', '"\n"', 'a,"\r\n",b'],
  ...['back\\slash', '\\', '\\\\', '\\"', '"\\', 'a\\', '\\n', '\\N', '\\.', '\\,'],
  ...[' lead', 'trail ', '  both  ', ' ', '  ', '\t', '\ttab\t', ' "quoted" ', ' \n '],
  ...['emoji 😀👩‍👩‍👧', 'é\u0301', '\u00a0', '\u2028\u2029', '\u0001\u001f', '\ufeffbom', '日本語', 'שלום'],
  ...['#comment', 'NULL', 'null', 'NaN', 'true', '0', '=1+1', ';', '|', 'x'.repeat(50_000)],
];
const TYPES: readonly Column[] = [
  { name: 'small', type: 'smallint' },
  { name: 'whole', type: 'integer' },
  { name: 'big', type: 'bigint' },
  { name: 'rate', type: 'numeric(6,4)' },
  { name: 'free', type: 'numeric' },
  { name: 'precise', type: 'double precision' },
  { name: 'yes', type: 'boolean' },
  { name: 'day', type: 'date' },
  { name: 'at', type: 'timestamp with time zone' },
  { name: 'wall clock', type: 'timestamp without time zone' },
  { name: 'doc', type: 'jsonb' },
];

describe('jobs/sluice_job.py', function () {
  this.timeout(240_000);
  const setting = sparkSetting();

  it('hands every text and every type on as it came, and a single column that is NULL', async () => {
    const { environment, s3, bucket } = setting;
    const schema: Column[] = [
      { name: 'id', type: 'bigint' },
      { name: 'te`xt', type: 'text' },
      { name: 'mid dle', type: 'varchar(90000)' },
      ...TYPES,
    ];
    const typed = [
      '-32768',
      '2147483647',
      '9223372036854775807',
      '0.1234',
      '-12345678901234567890.123456789012345678',
      '1.5E300',
      't',
      '2024-02-29',
      '2024-03-31 02:30:00.123456+00',
      '2024-03-31 02:30:00.000001',
      '{"a": [1, null]}',
    ];
    const rows: CsvRow[] = TEXTS.map((text, id) => [String(id), text, text, ...(id % 2 ? typed : TYPES.map(() => null))]);
    // The last field too is where readers go wrong.
    schema.push({ name: 'last', type: 'text' });
    const all = rows.map((row, id) => [...row, TEXTS[TEXTS.length - 1 - id] ?? null]);
    const input = await putDataset(s3, `s3://${bucket}/in/all/20240101T000000Z/`, schema, all);
    const alsoInput = await putDataset(
      s3,
      `s3://${bucket}/in/one/`,
      [{ name: 'only', type: 'text' }],
      TEXTS.map((text) => [text]),
    );
    const output = `s3://${bucket}/out/all/20240101T000000Z/`;
    const alsoOutput = `s3://${bucket}/out/one/`;

    const { result } = startSparkAttempt({
      environment,
      workflowId: 'round-trip',
      input: { params: { job_name: 'copy_dataset', params: { also_input: alsoInput.uri, also_output: alsoOutput } }, input, output },
    });
    const reference = (await result) as unknown as DatasetReference;

    const expectedTyped = typed.with(6, 'true').with(8, '2024-03-31 02:30:00.123456Z');
    const expected = all.map((row) => (row[5] === null ? row : [...row.slice(0, 3), ...expectedTyped, row.at(-1)]));
    assert.deepEqual(byId(await readDataset(s3, output)), expected);
    assert.equal(reference.rows, TEXTS.length);
    assert.deepEqual(
      reference.schema,
      schema.map(({ name, type }) => ({
        name,
        type: type.startsWith('varchar') || type === 'jsonb' ? 'text' : type === 'numeric' ? 'numeric(38,18)' : type,
      })),
    );
    const names = await objectNames(s3, output);
    assert.deepEqual(
      names.filter((name) => !/^run-[0-9a-f]{12}\/part-[^/]*\.csv\.gz$/.test(name)),
      ['manifest.json'],
    );

    // The second data set is the job's own affair and is not published: its files as they are.
    const files = (await objectNames(s3, alsoOutput)).filter((name) => name.startsWith('part-'));
    const one = await readFiles(
      s3,
      files.map((name) => alsoOutput + name),
    );
    assert.deepEqual(
      one,
      TEXTS.map((text) => [text]),
    );
  });

  function byId(rows: (string | null)[][]): (string | null)[][] {
    return rows.sort((a, b) => Number(a[0]) - Number(b[0]));
  }
});
