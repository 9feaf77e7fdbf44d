/** Maximum decompressed size of a batch, in bytes. */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** Header of the placeholder records for a batch that is too large. */
export const TOO_LARGE_HEADER = 'sluice-too-large';

/** Number of placeholder records: the maximum in a batch, because the codec does not know the actual count. */
const STAND_INS = 200_000;

let standIns: Buffer | undefined;

/**
 * Creates placeholder records without a value, marked with a header, for a batch that is too large. Each is an invalid event.
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

/** Encodes an integer as a zig-zag varint, as in Protocol Buffers. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
