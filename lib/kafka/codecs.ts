import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils';
import { decompress as zstdDecompress } from 'fzstd';
import kafkajs from 'kafkajs';

// Node does not see these names among those of the CommonJS module.
const { CompressionCodecs, CompressionTypes } = kafkajs;

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** What Java's clients write before Snappy: https://github.com/xerial/snappy-java, SnappyOutputStream. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

/** Teaches kafkajs the codecs that it does not bring: snappy, lz4 and zstd. Reading is what is needed; of zstd nothing writes. */
export function registerCodecs(): void {
  const codecs: readonly [number, Codec][] = [
    [
      CompressionTypes.Snappy,
      {
        compress: ({ buffer }) => Promise.resolve(snappyCompress(buffer)),
        decompress: (buffer) =>
          Promise.resolve(buffer.subarray(0, XERIAL.length).equals(XERIAL) ? unframe(buffer) : snappyDecompress(buffer)),
      },
    ],
    [
      CompressionTypes.LZ4,
      { compress: ({ buffer }) => Promise.resolve(lz4Compress(buffer)), decompress: (buffer) => Promise.resolve(lz4Decompress(buffer)) },
    ],
    [
      CompressionTypes.ZSTD,
      {
        compress: () => Promise.reject(new Error('Sluice reads zstd and does not write it: choose gzip, snappy or lz4.')),
        decompress: (buffer) => Promise.resolve(Buffer.from(zstdDecompress(buffer))),
      },
    ],
  ];
  for (const [type, codec] of codecs) CompressionCodecs[type as keyof typeof CompressionCodecs] = () => codec;
}

/** Blocks of Snappy, each after its length. */
function unframe(buffer: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < buffer.length;) {
    const length = buffer.readUInt32BE(at);
    blocks.push(snappyDecompress(buffer.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}
