import { userFault } from '../../run/errors.ts';
import type { Difference } from '../rows/comparison.ts';
import type { KeyedRows } from './keyed-rows.ts';
import type { Repair } from './repair.ts';

/**
 * Finds the differences whose row exists on the other side, outside its condition.
 * @throws ApplicationFailure DataMismatch when it is unclear whether it is the same row
 */
export async function findMoved(
  rows: KeyedRows,
  { isSourceFiltered }: Repair,
  missing: readonly Difference[],
  extra: readonly Difference[],
): Promise<ReadonlySet<Difference>> {
  const target = await rows.count('target', isSourceFiltered ? [...missing, ...extra] : missing);
  const there = missing.filter(({ key }) => target.has(JSON.stringify(key)));
  if (!isSourceFiltered) {
    const [first] = there;
    if (first === undefined) return new Set();
    throw userFault(
      'DataMismatch',
      `Nothing is repaired: ${there.length} of the missing rows have a key that the target holds outside its 'where', such as ` +
        `${first.key.join(', ')}. Inserted, they would be there twice. Give the source the same 'where' if they are the same rows, or name ` +
        "under 'key' a column that distinguishes them.",
    );
  }
  const source = await rows.count('source', [...there, ...extra]);
  const isOnlyOne = (counts: ReadonlyMap<string, number>, { key }: Difference): boolean => counts.get(JSON.stringify(key)) === 1;
  // A key that occurs several times in the source identifies rows only within the condition.
  const moved = there.filter((each) => isOnlyOne(source, each));
  if (!moved.every((each) => isOnlyOne(target, each))) throw rows.unclear();
  return new Set([...moved, ...extra.filter((each) => isOnlyOne(source, each) && isOnlyOne(target, each))]);
}
