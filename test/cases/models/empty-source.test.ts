import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { checkRowCount } from '../../../activities/support/dataset/min-rows.ts';
import { failedTask } from '../../support/failed-run.ts';
import { type BucketRuns, createBucketRuns, planOf } from '../../support/yaml-runs.ts';

describe('a source that has no rows', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
    await runs.source.rows('CREATE TABLE nothing (id int, name text)');
    await runs.warehouse.rows(
      "CREATE TABLE dim (id int, name text); INSERT INTO dim VALUES (1, 'one'); CREATE TABLE fresh (id int, name text)",
    );
  });
  after(() => close());

  const yaml = (table: string, more = ''): string => `
dag_id: empty_source
tasks:
  - {name: extract, type: postgres_to_s3, source_table: nothing, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${table}${more}}
`;
  const rowsOf = async (table: string): Promise<number> => (await runs.warehouse.rows(`SELECT 1 FROM ${table}`)).length;

  for (const more of ['', ', method: replace', ', method: merge, upsert_keys: [id]']) {
    it(`empties no table${more}, unless the file allows it`, async () => {
      const { message, attempts } = await failedTask(runs, yaml('dim', more), 'load');
      assert.match(message, /^The data has no rows, and method (replace|merge) would delete all rows of public\.dim.*`allow_empty: true`/);
      assert.equal(attempts, 1);
      assert.equal(await rowsOf('dim'), 1);
      await runs.run(yaml('fresh', more));
    });
  }

  it('empties it where the file allows it', async () => {
    await runs.run(yaml('dim', ', allow_empty: true'));
    assert.equal(await rowsOf('dim'), 0);
  });

  it('does not replace rows of its time with none either, unless the file allows it', async () => {
    await runs.source.rows('CREATE TABLE days (id int, day date)');
    await runs.warehouse.rows(`CREATE TABLE sold (id int, day date); INSERT INTO sold VALUES (0, '2026-11-25')`);
    const daily = (more = ''): string => `
dag_id: empty_day
tasks:
  - {name: extract, type: postgres_to_s3, source_table: days, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: sold, method: append, on_overlap: replace, interval_column: day${more}}
`;
    assert.equal((await runs.run(daily())).state, 'success', 'a day that never had rows');
    await runs.source.rows(`INSERT INTO days VALUES (1, '2026-11-26'), (2, '2026-11-26')`);
    await runs.run(daily());
    await runs.source.rows('DELETE FROM days');
    const { message } = await failedTask(runs, daily(), 'load');
    assert.match(
      message,
      /^The data has no rows, and on_overlap: replace would delete the 2 rows of this time of public\.sold\..*`allow_empty: true`/,
    );
    assert.equal(await rowsOf('sold'), 3);
    assert.equal((await runs.run(daily(', allow_empty: true'))).state, 'success');
    assert.equal(await rowsOf('sold'), 1);
  });
});

describe('min_rows', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
    await runs.source.rows('CREATE TABLE few (id int); INSERT INTO few SELECT generate_series(1, 10)');
    await runs.warehouse.rows('CREATE TABLE loaded (id int)');
  });
  after(() => close());

  const yaml = (extract: string, load: string): string => `
dag_id: few_rows
params: {least: {type: integer, default: 11}}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: few, s3_bucket: ${bucket.name}${extract}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: loaded${load}}
`;
  const loaded = async (): Promise<number> => (await runs.warehouse.rows('SELECT 1 FROM loaded')).length;

  it('of an extract: fewer rows are published nowhere', async () => {
    for (const more of [', min_rows: 11', ', min_rows: "{{ params.least }}"', ', file_format: jsonl, min_rows: 11']) {
      const { message, attempts } = await failedTask(runs, yaml(more, ''), 'extract');
      assert.match(message, /^'few' has 10 rows, and `min_rows` wants at least 11\. Check the source/);
      assert.equal(attempts, 1);
    }
    assert.deepEqual(await bucket.keys(), []);
    assert.equal((await runs.run(yaml(', min_rows: 10', ''))).state, 'success');
  });

  it('of a load: fewer rows, or a smaller part of the last load, leave the table as it is', async () => {
    assert.equal((await runs.run(yaml('', ', min_rows: 80%'))).state, 'success');
    await runs.source.rows('DELETE FROM few WHERE id > 7');
    for (const [least, words] of [
      ['8', 'at least 8'],
      ['80%', 'at least 8, 80% of the 10 rows of the last load'],
    ] as const) {
      const { message } = await failedTask(runs, yaml('', `, min_rows: ${least}`), 'load');
      assert.ok(message.startsWith(`The data for public.loaded has 7 rows, and \`min_rows\` wants ${words}. `), message);
      assert.equal(await loaded(), 10);
    }
    assert.equal((await runs.run(yaml('', ', min_rows: 70%'))).state, 'success');
    assert.equal(await loaded(), 7);
  });

  for (const [more, code] of [
    [', min_rows: -1', 'SL206'],
    [', min_rows: 120%', 'SL205'],
    [', min_rows: 100.5%', 'SL205'],
    [', min_rows: many', 'SL205'],
  ] as const) {
    it(`is a number or a part:${more}`, () => {
      assert.throws(
        () => planOf(yaml('', more)),
        (error: Error) => error.message.includes(code),
      );
    });
  }
});

describe('a part of the last load, as min_rows', () => {
  it('is exact: as many rows as it means are enough, and one less is not', () => {
    for (let tenths = 1; tenths <= 1_000; tenths++) {
      const least = `${Math.floor(tenths / 10)}.${tenths % 10}%`;
      for (const last of [500, 1_000, 3_000, 1_000_000_000]) {
        const fewest = Number((BigInt(last) * BigInt(tenths) + 999n) / 1_000n);
        checkRowCount(fewest, least, 'It', last);
        assert.throws(() => checkRowCount(fewest - 1, least, 'It', last), /wants at least/, `${least} of ${last}`);
      }
    }
  });
});
