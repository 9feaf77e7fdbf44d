import fc from 'fast-check';

/**
 * Whether `SLUICE_CHAOS=full` requests more and new random cases; otherwise the suite repeats the same ones, so that it only fails for code
 * changes.
 */
export const IS_FULL = process.env.SLUICE_CHAOS === 'full';

/** `npm run test:unit` must be short. */
export const IS_QUICK = process.env.SLUICE_CHAOS === 'quick';
const QUICK_SHARE = 0.1;

/** Number of cases in a test. @param usual in `npm test` @param full with `SLUICE_CHAOS=full` */
export function caseCount(usual: number, full = usual): number {
  return IS_FULL ? full : Math.ceil(usual * (IS_QUICK ? QUICK_SHARE : 1));
}

/** Random cases of one kind. */
export interface RandomCases<T> {
  readonly cases: readonly T[];
  /** For the title of a test: `3 cases, SLUICE_SEED=42`. Setting that variable repeats the same cases. */
  readonly title: string;
}

/** Generates cases: `few`, or `many` with `SLUICE_CHAOS=full`. `SLUICE_SEED` selects another seed. */
export function randomCases<T>(
  arbitrary: fc.Arbitrary<T>,
  { few, many, seed }: { readonly few: number; readonly many: number; readonly seed: number },
): RandomCases<T> {
  const own = Number(process.env.SLUICE_SEED ?? (IS_FULL ? Date.now() % 2 ** 31 : seed));
  const count = caseCount(few, many);
  return { cases: fc.sample(arbitrary, { seed: own, numRuns: count }), title: `${count} cases, SLUICE_SEED=${own}` };
}
