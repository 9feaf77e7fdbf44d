import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip, unzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import kafkajs from 'kafkajs';
import { asDriverMissing } from '../driver.ts';
import { lz4Length } from './lz4-length.ts';
import { MAX_DECOMPRESSED_BYTES, tooLargeRecords } from './too-large.ts';

// Node does not detect these named exports of the CommonJS module.
const { CompressionCodecs, CompressionTypes } = kafkajs;

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** The header that Java clients write before Snappy data: https://github.com/xerial/snappy-java, SnappyOutputStream. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

const gunzip = promisify(unzip);

const require = createRequire(import.meta.url);
/** Native packages, loaded with the first batch that needs them, so that other topics work on machines without a build. */
const snappy = () =>
  load('snappy') as { readonly compress: (bytes: Buffer) => Promise<Buffer>; readonly uncompressSync: (bytes: Buffer) => Buffer };
const lz4 = () =>
  load('lz4-napi') as {
    readonly compressFrame: (bytes: Buffer) => Promise<Buffer>;
    readonly decompressFrameSync: (bytes: Buffer) => Buffer;
  };

function load(name: 'snappy' | 'lz4-napi'): unknown {
  try {
    return require(name);
  } catch (error) {
    throw asDriverMissing(error, name, `Topics compressed with ${name.split('-')[0]}`);
  }
}

/**
 * Adds the codecs that kafkajs lacks: snappy, lz4 and zstd; and a size limit for gzip. Only decompression is needed; zstd cannot compress.
 * A batch that is too large after decompression becomes invalid records.
 */
export function registerCodecs(): void {
  const codecs: readonly [number, Codec][] = [
    [
      CompressionTypes.GZIP,
      {
        compress: ({ buffer }) => promisify(gzip)(buffer),
        decompress: (buffer) =>
          gunzip(buffer, { maxOutputLength: MAX_DECOMPRESSED_BYTES }).catch((error: unknown) => {
            if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLargeRecords();
            throw error;
          }),
      },
    ],
    [
      CompressionTypes.Snappy,
      {
        compress: ({ buffer }) => snappy().compress(buffer),
        decompress: (buffer) => Promise.resolve(buffer.subarray(0, XERIAL.length).equals(XERIAL) ? unframe(buffer) : unsnappy(buffer)),
      },
    ],
    [
      CompressionTypes.LZ4,
      {
        compress: ({ buffer }) => lz4().compressFrame(buffer),
        decompress: (buffer) =>
          Promise.resolve(lz4Length(buffer) > MAX_DECOMPRESSED_BYTES ? tooLargeRecords() : lz4().decompressFrameSync(buffer)),
      },
    ],
    [
      CompressionTypes.ZSTD,
      {
        compress: () => Promise.reject(new Error('Sluice reads zstd and does not write it: choose gzip, snappy or lz4.')),
        decompress: (buffer) => Promise.resolve(unzstd(buffer)),
      },
    ],
  ];
  for (const [type, codec] of codecs) CompressionCodecs[type as keyof typeof CompressionCodecs] = () => codec;
}

/** Thrown within this file when decompressed data exceeds the limit. */
class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

function unzstd(buffer: Buffer): Buffer {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    new Decompress((chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_DECOMPRESSED_BYTES) throw new TooLarge();
      chunks.push(chunk);
    }).push(buffer, true);
  } catch (error) {
    if (error instanceof TooLarge) return tooLargeRecords();
    throw error;
  }
  return Buffer.concat(chunks);
}

function unsnappy(buffer: Buffer): Buffer {
  return snappyLength(buffer) > MAX_DECOMPRESSED_BYTES ? tooLargeRecords() : snappy().uncompressSync(buffer);
}

/** The declared length of a Snappy block: https://github.com/google/snappy/blob/main/format_description.txt */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < Math.min(5, block.length); at++) {
    const byte = block[at] ?? 0;
    length += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) break;
  }
  return length;
}

/** Splits data into Snappy blocks, each prefixed with its length. */
function unframe(buffer: Buffer): Buffer {
  const blocks: Buffer[] = [];
  let bytes = 0;
  for (let at = XERIAL_HEADER; at < buffer.length;) {
    const length = buffer.readUInt32BE(at);
    const block = buffer.subarray(at + 4, at + 4 + length);
    bytes += snappyLength(block);
    if (bytes > MAX_DECOMPRESSED_BYTES) return tooLargeRecords();
    blocks.push(snappy().uncompressSync(block));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}
