/** A row as texts; equal texts are equal values. */
export type BagRow = readonly (string | null)[];

/**
 * The expected result of comparing two bags of rows: `[compared, changed, missing, extra]`. Compares row by row without SQL, to be
 * independent of the code under test.
 */
export function comparedBags(source: readonly BagRow[], target: readonly BagRow[], keyColumns: number): number[] {
  const left = [...target];
  const onlySource = source.filter((row) => {
    const at = left.findIndex((other) => other.every((value, index) => value === row[index]));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const hasKeyOf = (row: BagRow) => (other: BagRow) => row.slice(0, keyColumns).every((value, index) => value === other[index]);
  let changed = 0;
  for (const row of onlySource) {
    const at = left.findIndex(hasKeyOf(row));
    if (at < 0) continue;
    left.splice(at, 1);
    changed += 1;
  }
  return [source.length + left.length, changed, onlySource.length - changed, left.length];
}

/** Returns a generator of integers from 0 to below a limit; deterministic for each seed. */
export function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // A linear congruential generator.
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
