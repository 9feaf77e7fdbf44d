import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, type ZlibOptions } from 'node:zlib';
import kafkajs from 'kafkajs';
import { describe, it } from 'mocha';
import { registerCodecs } from '../../../lib/kafka/codecs.ts';
import { lz4Length } from '../../../lib/kafka/lz4-length.ts';
import { MAX_DECOMPRESSED_BYTES, tooLargeRecords } from '../../../lib/kafka/too-large.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** A frame of zstd with one block that repeats a byte: https://datatracker.ietf.org/doc/html/rfc8878#name-blocks */
function zstdOf(length: number): Buffer {
  const blocks = Math.ceil(length / 131_072);
  const block = (index: number): Buffer => {
    const size = Math.min(131_072, length - index * 131_072);
    const header = Buffer.alloc(4);
    header.writeUInt32LE((size << 3) | (1 << 1) | (index === blocks - 1 ? 1 : 0));
    return Buffer.concat([header.subarray(0, 3), Buffer.of(32)]);
  };
  // Magic number; no content size, no checksum; a window of 128 KiB.
  return Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38), ...Array.from({ length: blocks }, (_, index) => block(index))]);
}

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/** What kafkajs uses. */
const codecOf = (name: string): Codec => (CompressionCodecs[CompressionTypes[name as 'GZIP']] as unknown as () => Codec)();

const WRITERS = {
  GZIP: (bytes: Buffer) => promisify<Buffer, ZlibOptions, Buffer>(gzip)(bytes, { level: 1 }),
  Snappy: (bytes: Buffer) => codecOf('Snappy').compress({ buffer: bytes }),
  LZ4: (bytes: Buffer) => codecOf('LZ4').compress({ buffer: bytes }),
  ZSTD: (bytes: Buffer) => Promise.resolve(zstdOf(bytes.length)),
} as const;

describe('what Kafka has compressed', function () {
  this.timeout('1m');
  registerCodecs();
  const decompress = (name: keyof typeof WRITERS, bytes: Buffer): Promise<Buffer> => codecOf(name).decompress(bytes);

  for (const name of Object.keys(WRITERS) as (keyof typeof WRITERS)[]) {
    it(`${name}: is read, and is too large from one byte above the limit`, async () => {
      const some = Buffer.alloc(1_000_000, ' ');
      assert.ok((await decompress(name, await WRITERS[name](some))).equals(some));
      const more = await WRITERS[name](Buffer.alloc(MAX_DECOMPRESSED_BYTES + 1, ' '));
      assert.ok((await decompress(name, more)).equals(tooLargeRecords()));
    });
  }

  it('LZ4: the length is counted, for any bytes and any header', async () => {
    for (let length = 0; length < 300_000; length = Math.ceil(length * 1.7) + 1) {
      for (const bytes of [
        Buffer.alloc(length, 'abc'),
        randomBytes(length),
        Buffer.concat([randomBytes(length >> 1), Buffer.alloc(length >> 1)]),
      ])
        assert.equal(lz4Length(await WRITERS.LZ4(bytes)), bytes.length);
    }
  });
});
