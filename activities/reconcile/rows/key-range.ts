/** Rows whose key lies in `[from, to)`, or has no value. */
export interface KeyRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** A range of keys, and into how many stripes it is cut. */
export interface KeyLine extends KeyRange {
  readonly parts: number;
}

/** The stripes of a line: as many as it has parts, unless it is shorter. */
export function cut({ from, to, parts }: KeyLine): KeyRange[] {
  const width = maximum(1n, (to - from + BigInt(parts) - 1n) / BigInt(parts));
  const ranges: KeyRange[] = [];
  for (let start = from; start < to; start += width) ranges.push({ from: start, to: minimum(to, start + width) });
  return ranges.length > 0 ? ranges : [{ from, to: from + 1n }];
}

export function maximum(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

export function minimum(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
