import { type Measure, median } from './measure.ts';

/** What one side of a pair took. */
export interface Sample {
  readonly ms: number;
  /** Of the histories of all its workflows; absent where they are not compared. */
  readonly events?: number;
}

/** Which medians of the ratios ours / by hand are wanted. */
export interface Target {
  readonly time: number;
  readonly events?: number;
}

/**
 * Ours against what a user would do by hand: `pairs` pairs in turn in one run, after one that is not counted.
 * @returns a measure for the time, and one for the events where they are wanted
 */
export async function compare(
  what: string,
  wanted: Target,
  pairs: number,
  ours: () => Promise<Sample>,
  byHand: () => Promise<Sample>,
): Promise<Measure[]> {
  const taken: { ours: Sample; byHand: Sample }[] = [];
  for (let pair = 0; pair <= pairs; pair++) {
    process.stderr.write(`${what}: pair ${pair} of ${pairs}${pair === 0 ? ' (not counted)' : ''}\n`);
    // Who goes first changes, so that neither always meets the warmer machine.
    const [first, second] = pair % 2 === 0 ? [ours, byHand] : [byHand, ours];
    const [a, b] = [await first(), await second()];
    if (pair > 0) taken.push(pair % 2 === 0 ? { ours: a, byHand: b } : { ours: b, byHand: a });
  }
  const measure = (name: string, most: number, unit: string, of: (taken: Sample) => number): Measure => {
    const ratio = median(taken.map((pair) => of(pair.ours) / of(pair.byHand)));
    const [own, hand] = [median(taken.map((pair) => of(pair.ours))), median(taken.map((pair) => of(pair.byHand)))];
    return {
      what: name,
      measured: `${ratio.toFixed(2)} × (${own.toFixed(0)} ${unit}, by hand ${hand.toFixed(0)} ${unit})`,
      wanted: `≤ ${most} ×`,
      reached: ratio <= most,
    };
  };
  return [
    measure(what, wanted.time, 'ms', ({ ms }) => ms),
    ...(wanted.events === undefined ? [] : [measure(`${what}: history`, wanted.events, 'events', ({ events = NaN }) => events)]),
  ];
}
