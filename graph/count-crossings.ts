/** A line between two layers, as its columns in the upper and lower layer. */
export type Segment = readonly [above: number, below: number];

/** Counts crossing pairs of lines between two layers; lines that share an end do not cross. Takes O(n log n). */
export function countCrossings(segments: readonly Segment[]): number {
  const sorted = [...segments].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return countInversions(sorted.map(([, below]) => below)).count;
}

/** Merge sort that counts inversions. */
function countInversions(values: readonly number[]): { sorted: readonly number[]; count: number } {
  if (values.length < 2) return { sorted: values, count: 0 };
  const left = countInversions(values.slice(0, values.length / 2));
  const right = countInversions(values.slice(values.length / 2));
  const sorted: number[] = [];
  let count = left.count + right.count;
  let taken = 0;
  for (const value of right.sorted) {
    for (; taken < left.sorted.length && (left.sorted[taken] ?? 0) <= value; taken++) sorted.push(left.sorted[taken] ?? 0);
    count += left.sorted.length - taken;
    sorted.push(value);
  }
  return { sorted: [...sorted, ...left.sorted.slice(taken)], count };
}
