import type { SideName } from '../row-expressions.ts';
import type { Difference, Row } from './comparison.ts';

/** The differences between two multisets of rows whose first values are the key. */
export function bagDifferences(source: readonly Row[], target: readonly Row[], keyColumns: number): Difference[] {
  const surplus = new Map<string, { readonly key: Row; readonly sides: Record<SideName, Row[]> }>();
  const whole = new Map<string, number>();
  for (const row of source) whole.set(JSON.stringify(row), (whole.get(JSON.stringify(row)) ?? 0) + 1);
  const keep = (side: SideName, row: Row): void => {
    const key = row.slice(0, keyColumns);
    const name = JSON.stringify(key);
    const entry = surplus.get(name) ?? { key, sides: { source: [], target: [] } };
    entry.sides[side].push(row.slice(keyColumns));
    surplus.set(name, entry);
  };
  for (const row of target) {
    const name = JSON.stringify(row);
    const left = whole.get(name) ?? 0;
    if (left > 0) whole.set(name, left - 1);
    else keep('target', row);
  }
  for (const [name, left] of whole) {
    for (let count = 0; count < left; count += 1) keep('source', JSON.parse(name) as Row);
  }
  return [...surplus.values()].flatMap(({ key, sides }) =>
    Array.from({ length: Math.max(sides.source.length, sides.target.length) }, (_, index) => ({
      key,
      source: sides.source[index],
      target: sides.target[index],
    })),
  );
}
