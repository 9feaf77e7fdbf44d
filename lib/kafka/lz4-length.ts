const HEADER = { magic: 4, flags: 1, blockSize: 1, contentSize: 8, dictionary: 4, checksum: 1 };
const BLOCK_LENGTH = 4;
const BLOCK_CHECKSUM = 4;
const PLAIN_BLOCK = 0x80000000;
const SHORTEST_MATCH = 4;

/**
 * Computes the decompressed length of an LZ4 frame. The length in its header is only the writer's claim.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md
 * @returns for a truncated or damaged frame the length up to there; decompressing it fails
 */
export function lz4Length(frame: Buffer): number {
  const flags = frame[HEADER.magic] ?? 0;
  const hasBlockChecksums = (flags & 0x10) !== 0;
  let at =
    HEADER.magic +
    HEADER.flags +
    HEADER.blockSize +
    ((flags & 0x08) === 0 ? 0 : HEADER.contentSize) +
    ((flags & 0x01) === 0 ? 0 : HEADER.dictionary) +
    HEADER.checksum;
  let total = 0;
  while (at + BLOCK_LENGTH <= frame.length) {
    const word = frame.readUInt32LE(at);
    if (word === 0) break;
    const length = word % PLAIN_BLOCK;
    const block = frame.subarray(at + BLOCK_LENGTH, at + BLOCK_LENGTH + length);
    total += word >= PLAIN_BLOCK ? block.length : blockLength(block);
    at += BLOCK_LENGTH + length + (hasBlockChecksums ? BLOCK_CHECKSUM : 0);
  }
  return total;
}

/** A block is a list of sequences: literals, then a match that repeats earlier bytes; the last has only literals. */
function blockLength(block: Buffer): number {
  let at = 0;
  let total = 0;
  /** A length of 15 continues in bytes that are added, until one is below 255. */
  const read = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255 && at < block.length;) {
      byte = block[at++] ?? 0;
      length += byte;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = read(token >> 4);
    at += literals;
    total += literals;
    if (at >= block.length) break;
    at += 2;
    total += SHORTEST_MATCH + read(token & 0x0f);
  }
  return total;
}
