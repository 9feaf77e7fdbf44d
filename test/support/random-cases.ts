import fc from 'fast-check';

/** Whether `SLUICE_CHAOS=full` asks for more, and others each time; the suite otherwise tries the same ones, so that it fails for what has changed. */
export const IS_FULL = process.env.SLUICE_CHAOS === 'full';

/** `npm run test:unit` is to be short. */
export const IS_QUICK = process.env.SLUICE_CHAOS === 'quick';
const QUICK_SHARE = 0.1;

/** How many cases a test tries. @param usual in `npm test` @param full with `SLUICE_CHAOS=full` */
export function caseCount(usual: number, full = usual): number {
  return IS_FULL ? full : Math.ceil(usual * (IS_QUICK ? QUICK_SHARE : 1));
}

/** Random cases of one kind. */
export interface RandomCases<T> {
  readonly cases: readonly T[];
  /** For the title of a test: `3 cases, SLUICE_SEED=42`. With that in the environment the same cases come again. */
  readonly title: string;
}

/** Draws cases: `few`, or `many` with `SLUICE_CHAOS=full`. `SLUICE_SEED` draws those of another seed. */
export function randomCases<T>(
  arbitrary: fc.Arbitrary<T>,
  { few, many, seed }: { readonly few: number; readonly many: number; readonly seed: number },
): RandomCases<T> {
  const own = Number(process.env.SLUICE_SEED ?? (IS_FULL ? Date.now() % 2 ** 31 : seed));
  const count = caseCount(few, many);
  return { cases: fc.sample(arbitrary, { seed: own, numRuns: count }), title: `${count} cases, SLUICE_SEED=${own}` };
}
