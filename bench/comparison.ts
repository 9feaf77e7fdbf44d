import { formatTable } from '../lib/table.ts';
import { median } from './measure.ts';

/** Ours against what a user would do by hand, measured in turn in one run. */
export interface Comparison {
  readonly what: string;
  /** Milliseconds of each pair. */
  readonly ours: readonly number[];
  readonly byHand: readonly number[];
  /** The median of the ratios ours / by hand that is wanted. */
  readonly wanted: number;
}

/** Runs `pairs` pairs in turn, after one that is not counted. Both sides return milliseconds. */
export async function compare(
  what: string,
  wanted: number,
  pairs: number,
  ours: () => Promise<number>,
  byHand: () => Promise<number>,
): Promise<Comparison> {
  const taken: [number, number][] = [];
  for (let pair = 0; pair <= pairs; pair++) {
    process.stderr.write(`${what}: pair ${pair} of ${pairs}${pair === 0 ? ' (not counted)' : ''}\n`);
    // Who goes first changes, so that neither always meets the warmer machine.
    const first = pair % 2 === 0 ? await ours() : await byHand();
    const second = pair % 2 === 0 ? await byHand() : await ours();
    if (pair > 0) taken.push(pair % 2 === 0 ? [first, second] : [second, first]);
  }
  return { what, wanted, ours: taken.map(([own]) => own), byHand: taken.map(([, hand]) => hand) };
}

/** Prints the table and `N of M reached`. @returns whether all are reached */
export function printComparisons(comparisons: readonly Comparison[]): boolean {
  const rows = comparisons.map(({ what, ours, byHand, wanted }) => {
    const ratio = median(ours.map((own, pair) => own / (byHand[pair] ?? NaN)));
    return {
      reached: ratio <= wanted,
      cells: [
        what,
        `${median(byHand).toFixed(0)} ms`,
        `${median(ours).toFixed(0)} ms`,
        ratio.toFixed(2),
        `≤ ${wanted}`,
        ratio <= wanted ? 'yes' : 'no',
      ],
    };
  });
  const reached = rows.filter((row) => row.reached).length;
  process.stdout.write(
    `${formatTable(
      ['WHAT', 'BY HAND', 'SLUICE', 'RATIO', 'WANTED', 'REACHED'],
      rows.map(({ cells }) => cells),
    )}\n`,
  );
  process.stdout.write(`${reached} of ${rows.length} reached\n`);
  return reached === rows.length;
}
