import { formatTable } from '../lib/table.ts';

/** A measurement with its target. */
export interface Measure {
  readonly what: string;
  /** Includes its unit. */
  readonly measured: string;
  readonly wanted: string;
  readonly reached: boolean;
}

/** Prints the table and `N of M reached`. @returns whether all targets are met */
export function printMeasures(measures: readonly Measure[]): boolean {
  const reached = measures.filter((measure) => measure.reached).length;
  const rows = measures.map(({ what, measured, wanted, reached: isReached }) => [what, measured, wanted, isReached ? 'yes' : 'no']);
  process.stdout.write(`${formatTable(['WHAT', 'MEASURED', 'WANTED', 'REACHED'], rows)}\n`);
  process.stdout.write(`${reached} of ${measures.length} reached\n`);
  return reached === measures.length;
}

/** The percentile of `values` for a fraction such as 0.95 or 0.99. */
export function percentile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? NaN;
}

/** The median of the sorted values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
