/** What the records of one compressed batch may have together when they are decompressed, in bytes. */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** The header of records that stand for those of a batch that is larger. */
export const TOO_LARGE_HEADER = 'sluice-too-large';

/** As many records as a batch may have, to stand for those of one that is too large: the codec is not told how many it has. */
const STAND_INS = 200_000;

let standIns: Buffer | undefined;

/**
 * Records without a value, marked by a header, in the place of those of a batch that is too large: each of them is an invalid event.
 * https://kafka.apache.org/documentation/#record
 */
export function tooLargeRecords(): Buffer {
  return (standIns ??= Buffer.concat(Array.from({ length: STAND_INS }, (_, offset) => recordOf(offset))));
}

function recordOf(offsetDelta: number): Buffer {
  const [attributes, timestampDelta, noKey, noValue, noHeaderValue] = [Buffer.of(0), varint(0), varint(-1), varint(-1), varint(0)];
  const header = [varint(1), varint(TOO_LARGE_HEADER.length), Buffer.from(TOO_LARGE_HEADER), noHeaderValue];
  const body = Buffer.concat([attributes, timestampDelta, varint(offsetDelta), noKey, noValue, ...header]);
  return Buffer.concat([varint(body.length), body]);
}

/** A whole number in zigzag, seven bits a byte, as Protocol Buffers have it. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
