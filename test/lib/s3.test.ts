import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatS3Uri, parseS3Uri } from '../../lib/s3.ts';

describe('s3:// addresses', () => {
  for (const [uri, location] of [
    ['s3://bucket/a/b.csv', { bucket: 'bucket', key: 'a/b.csv' }],
    ['s3://bucket/a//b c?d#e%20f/', { bucket: 'bucket', key: 'a//b c?d#e%20f/' }],
    ['s3://bucket/', { bucket: 'bucket', key: '' }],
  ] as const) {
    it(`${uri} there and back`, () => {
      assert.deepEqual(parseS3Uri(uri), location);
      assert.equal(formatS3Uri(location), uri);
    });
  }

  it('a bucket alone has an empty key', () => {
    assert.deepEqual(parseS3Uri('s3://bucket'), { bucket: 'bucket', key: '' });
  });

  for (const uri of ['', 'bucket/key', 's3://', 's3:///key', 's3a://bucket/key', 'https://bucket/key']) {
    it(`'${uri}' is refused`, () => {
      assert.throws(() => parseS3Uri(uri), TypeError);
    });
  }
});
