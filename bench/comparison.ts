import { type Measure, median } from './measure.ts';

/** The cost of one side of a pair. */
export interface Sample {
  readonly ms: number;
  /** Number of events in the histories of all its workflows; absent if not compared. */
  readonly events?: number;
}

/** The maximum medians of the ratio ours / by hand. */
export interface Target {
  readonly time: number;
  readonly events?: number;
}

/**
 * Compares Sluice with hand-written code: alternates `pairs` pairs in one process, after one warm-up pair.
 * @returns a measure for the time, and one for the events if they have a target
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
    // Alternate the order, so that neither side benefits from a warm machine.
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
