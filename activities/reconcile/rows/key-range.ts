/** Rows whose key lies in `[from, to)`, or is NULL. */
export interface KeyRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** A range of keys, and the number of stripes it is cut into. */
export interface KeyLine extends KeyRange {
  readonly parts: number;
}

/** The stripes of a line: one per part, fewer if the line is shorter. */
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
