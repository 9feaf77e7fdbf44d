import { isInteger } from '../column-family.ts';
import { rowExpressions } from '../row-expressions.ts';
import { BucketComparison } from './bucket-comparison.ts';
import type { RowComparison, RowCounts } from './comparison.ts';
import { RangeComparison } from './range-comparison.ts';
import { Segments } from './segments.ts';

/**
 * Compares two multisets of rows: a row that occurs twice must occur twice on the other side. Each side sums up its own segments. Only
 * segments with different sums are read, and large ones are split first.
 */
export async function compareRows(comparison: RowComparison): Promise<RowCounts> {
  const { sides, keys, columns } = comparison;
  const expressions = await rowExpressions(sides, keys, columns);
  const [key] = keys;
  const ranged = keys.length === 1 && key !== undefined && isInteger(key.source) && isInteger(key.target);
  const segments = new Segments(comparison, expressions);
  return ranged ? new RangeComparison(comparison, segments, key).run() : new BucketComparison(comparison, segments, expressions).run();
}
