/** A row as texts, of which the same count as the same. */
export type BagRow = readonly (string | null)[];

/**
 * What comparing two bags of rows must come to: `[compared, changed, missing, extra]`. Row by row and without any SQL, so that it has
 * nothing in common with what it judges.
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

/** Draws whole numbers from 0 on, below what is asked for; the same ones each time. */
export function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // A linear congruential generator.
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
