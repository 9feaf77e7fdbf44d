import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { type DatasetToPublish, publishDataset } from '../../../activities/support/dataset/publish-dataset.ts';
import { IntervalOutput } from '../../../activities/support/dataset/interval-output.ts';
import { readManifest } from '../../../activities/support/dataset/read-manifest.ts';
import { openStorage, type Storage } from '../../../activities/support/dataset/storage.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';

const schema = [{ name: 'id', type: 'integer' }];

describe('publishDataset', () => {
  let bucket: TestBucket;
  let storage: Storage;

  before(async function () {
    this.timeout('20m');
    bucket = await createBucket();
    storage = openStorage(bucket.connection, 'aws_default');
  });
  after(async () => {
    storage.client.destroy();
    await bucket.drop();
  });

  const publish = (prefix: string, more: Partial<DatasetToPublish> = {}) =>
    publishDataset({
      storage,
      output: new IntervalOutput(storage, `s3://${bucket.name}/${prefix}`, 'run/task'),
      folder: '',
      format: 'csv',
      compression: 'gzip',
      schema,
      signal: AbortSignal.timeout(30_000),
      ...more,
    });

  it('measures what Spark has left, and passes over what is not data', async () => {
    const one = gzipSync('1,"two\nlines"\n2,x\n');
    const two = gzipSync('3,"""\n"""');
    await bucket.put('out/part-00000-abc.csv.gz', one);
    await bucket.put('out/deep/part-00001-abc.csv.gz', two);
    await bucket.put('out/part-00002-abc.csv.gz', gzipSync(''));
    for (const key of ['_SUCCESS', '_temporary/0/part-0.csv.gz', '.part-0.crc', 'deep/.hidden', 'manifest.json'])
      await bucket.put(`out/${key}`, 'not gzip');
    const sums: unknown[] = [];
    const reference = await publish('out/', { progress: (sum) => sums.push(sum) });
    assert.deepEqual(reference, {
      uri: `s3://${bucket.name}/out/`,
      manifest: `s3://${bucket.name}/out/manifest.json`,
      format: 'csv',
      rows: 3,
      bytes: one.length + two.length,
      schema,
    });
    const { content: manifest } = await readManifest(storage, reference.manifest, AbortSignal.timeout(10_000));
    assert.deepEqual(
      manifest.entries,
      [
        { key: 'out/deep/part-00001-abc.csv.gz', body: two, rows: 1 },
        { key: 'out/part-00000-abc.csv.gz', body: one, rows: 2 },
      ].map(({ key, body, rows }) => ({
        url: `s3://${bucket.name}/${key}`,
        mandatory: true,
        meta: { content_length: body.length },
        rows,
        sha256: createHash('sha256').update(body).digest('hex'),
      })),
    );
    assert.deepEqual(sums.at(-1), { files: 2, rows: 3, bytes: reference.bytes });
  });

  it('reads gzip of several members, and files without compression', async () => {
    await bucket.put('members/a.csv.gz', Buffer.concat([gzipSync('1\n2\n'), gzipSync('3\n')]));
    assert.equal((await publish('members/')).rows, 3);
    await bucket.put('plain/a.jsonl', '{"id": 1}\n{"id": 2}');
    assert.equal((await publish('plain/', { format: 'jsonl', compression: 'none' })).rows, 2);
  });

  it('publishes nothing as a dataset without files', async () => {
    const reference = await publish('nothing/');
    assert.deepEqual(
      [reference.rows, (await readManifest(storage, reference.manifest, AbortSignal.timeout(10_000))).content.entries],
      [0, []],
    );
  });

  it('names the file that is not what it should be, and writes no manifest', async () => {
    for (let part = 0; part < 20; part++) await bucket.put(`bad/part-${part}.csv.gz`, part === 11 ? 'not gzip' : gzipSync('1\n'));
    await assert.rejects(
      publish('bad/'),
      (error) => error instanceof ApplicationFailure && error.type === 'DataDoesNotFit' && error.message.includes('bad/part-11.csv.gz'),
    );
    await bucket.put('cut/a.csv.gz', gzipSync('x'.repeat(1000)).subarray(0, 20));
    await assert.rejects(publish('cut/'), (error) => error instanceof ApplicationFailure && error.type === 'DataDoesNotFit');
    assert.deepEqual(
      (await bucket.keys()).filter((key) => /^(bad|cut)\/manifest/.test(key)),
      [],
    );
  });

  it('stops when it is canceled', async () => {
    await assert.rejects(publish('members/', { signal: AbortSignal.abort() }));
  });
});
