import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { DefaultLogger } from '@temporalio/worker';
import { after, before, describe, it } from 'mocha';
import { IntervalOutput } from '../../../activities/support/dataset/interval-output.ts';
import { type OutputOwner, RunOutput } from '../../../activities/support/dataset/run-output.ts';
import { openStorage } from '../../../activities/support/dataset/storage.ts';
import { DatasetResult } from '../../../activities/spark/dataset-result.ts';
import { failedTask } from '../../support/failed-run.ts';
import { failureOf } from '../../support/failure-of.ts';
import { type BucketRuns, createBucketRuns } from '../../support/yaml-runs.ts';

describe('files whose columns have no names', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
    await runs.warehouse.rows('CREATE TABLE swapped (label text, id text)');
  });
  after(() => close());

  /** What becomes of these files, which a job has left. */
  async function publish(folder: string, files: Readonly<Record<string, string>>): Promise<unknown> {
    const storage = openStorage(bucket.connection, 'aws_default');
    try {
      const result = new DatasetResult(storage, new IntervalOutput(storage, `s3://${bucket.name}/${folder}/`, 'run/task'), 1, false);
      for (const [name, text] of Object.entries(files)) {
        const body = name.endsWith('.gz') ? gzipSync(text) : text;
        await bucket.put(`${result.output.replace(`s3://${bucket.name}/`, '')}${name}`, body);
      }
      return await result.publish(AbortSignal.timeout(20_000));
    } finally {
      storage.client.destroy();
    }
  }

  it('of a Spark job are refused: a header is not a row, and the value of a folder is in no file', async () => {
    for (const [folder, files, words] of [
      [
        'header',
        { 'part-0.csv': 'id,label\n1,x\n', _SUCCESS: '' },
        /^The job has written CSV to s3:.* without column names\. Write it with write_dataset/,
      ],
      ['gzip', { 'part-0.csv.gz': '1,x\n' }, /without column names/],
      [
        'folders',
        { 'region=EU/part-0.csv': '1\n' },
        /^The job has written folders for the values of column 'region', such as region=EU\/part-0\.csv/,
      ],
      [
        'described',
        { 'day=1/region=EU/part-0.csv': '1\n', '_schema.json': JSON.stringify({ columns: [{ name: 'id', type: 'integer' }] }) },
        /column 'day'/,
      ],
      ['lines', { 'region=EU/part-0.jsonl': '{"id":1}\n' }, /column 'region'/],
    ] as const) {
      const { type, message } = await failureOf(publish(folder, files));
      assert.equal(type, 'DataDoesNotFit', folder);
      assert.match(message, words);
    }
    const lines = (await publish('names', { 'part-0.jsonl': '{"id":1}\n' })) as { rows: number };
    assert.equal(lines.rows, 1, 'records that have their names with them');
    const empty = (await publish('empty', { _SUCCESS: '' })) as { rows: number };
    assert.equal(empty.rows, 0);
  });

  it('that the job of another attempt has written are in no dataset, and the first dataset that is published stays', async () => {
    const storage = openStorage(bucket.connection, 'aws_default');
    const signal = AbortSignal.timeout(20_000);
    const run = { pipelineRunId: 'd/manual/1', dagId: 'd', execution: 'e', startedAt: '2026-11-28T00:00:00.000Z' };
    const log = new DefaultLogger('ERROR');
    const attempt = (number: number): DatasetResult => {
      const interval = { start: '2026-11-27T00:00:00.000Z', end: '2026-11-28T00:00:00.000Z' };
      const runs = { isUnderWay: () => Promise.resolve(true) } as unknown as OutputOwner['runs'];
      const owner: OutputOwner = { task: 't', attempt: number, interval, idempotencyKey: 'd/manual/1/e/t', runs, log, run };
      return new DatasetResult(storage, RunOutput.ofInterval(owner, storage, `s3://${bucket.name}/attempts/`), number, false);
    };
    const leave = (result: DatasetResult, name: string, rows: number): Promise<unknown> =>
      bucket.put(`${result.output.replace(`s3://${bucket.name}/`, '')}${name}`, '{"id":1}\n'.repeat(rows));
    try {
      const [first, second] = [attempt(1), attempt(2)];
      // The server has given the first attempt up; its job goes on, on another host.
      await leave(first, 'part-0.jsonl', 5);
      await second.clear(signal);
      await leave(second, 'part-0.jsonl', 3);
      await leave(first, 'part-1.jsonl', 5);
      const published = await second.publish(signal);
      assert.equal(published?.rows, 3);
      await leave(first, 'part-2.jsonl', 5);
      assert.deepEqual(await first.publish(signal), published);
      const kept = (await bucket.keys('attempts/')).filter((key) => key.endsWith('.jsonl'));
      assert.ok(kept.length === 1 && kept[0]?.includes('/data-2/'), kept.join());
    } finally {
      storage.client.destroy();
    }
  });

  it('are loaded by the positions of their columns only where the file allows it', async () => {
    const file = gzipSync('1,x\n');
    await bucket.put('foreign/data.csv.gz', file);
    const sha256 = createHash('sha256').update(file).digest('hex');
    const entry = {
      url: `s3://${bucket.name}/foreign/data.csv.gz`,
      mandatory: true,
      meta: { content_length: file.length },
      rows: 1,
      sha256,
    };
    const manifest = { version: 1, format: 'csv', compression: 'gzip', schema: [], rows: 1, bytes: file.length, entries: [entry] };
    await bucket.put('foreign/manifest.json', JSON.stringify(manifest));
    const yaml = (more = ''): string => `
dag_id: foreign_files
tasks: [{name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, s3_key: foreign/, redshift_table: swapped${more}}]
`;
    const { message } = await failedTask(runs, yaml(), 'load');
    assert.match(message, /^The data has no column names\. List in 'columns' which columns of public\.swapped its fields fill/);
    assert.equal((await runs.run(yaml(', columns: [id, label]'))).state, 'success');
    assert.deepEqual(await runs.warehouse.rows('SELECT id, label FROM swapped'), [{ id: '1', label: 'x' }]);
  });
});
