import fc from 'fast-check';
import type { Reprocess } from '../../../workflows/plan/timetable/interval-coverage.ts';

/** A short history of one pipeline: its file, its source data, and the steps. */
export interface History {
  /** The schedule at the start. */
  readonly clock: Clock;
  readonly method: 'append' | 'replace' | 'upsert' | 'merge';
  /** For the append method. */
  readonly onOverlap: 'replace' | 'append' | undefined;
  /** Whether a run reads only rows of its interval. */
  readonly incremental: boolean;
  /** Whether events arrive through Kafka and a sensor instead of directly from the test. */
  readonly kafka: boolean;
  readonly rows: readonly Omit<Row, 'id' | 'v'>[];
  readonly steps: readonly Step[];
}

/** Two days, in quarters of six hours. */
export type Clock = 'quarters' | 'days';

/** A row of the source. Its time lies in its quarter. */
export interface Row {
  readonly id: number;
  readonly quarter: number;
  readonly region: Region;
  readonly v: number;
}

export const REGIONS = ['eu', 'us'] as const;
export type Region = (typeof REGIONS)[number];
/** The parameter of the pipeline; the default is `all`. */
export type Selection = Region | 'all';

/** `interval` and `which` are taken modulo the number of candidates. `kill` kills the worker after this many milliseconds. */
export type Step =
  | { readonly kind: 'insert'; readonly quarter: number; readonly region: Region }
  | { readonly kind: 'update' | 'delete'; readonly which: number }
  | (Start & { readonly kill?: number | undefined })
  | { readonly kind: 'both'; readonly starts: readonly [Start, Start]; readonly kill?: number | undefined }
  | { readonly kind: 'rerun'; readonly which: number; readonly from: 'extract' | 'load' | undefined }
  | {
      readonly kind: 'backfill';
      readonly interval: number;
      readonly count: number;
      readonly reprocess: Reprocess;
      readonly kill?: number | undefined;
    }
  | { readonly kind: 'clock' };

export type Start =
  | { readonly kind: 'run'; readonly interval: number; readonly region: Selection }
  /** Reuses the id of the last manual run, as after Temporal's retention. */
  | { readonly kind: 'again' }
  | { readonly kind: 'tick'; readonly interval: number }
  | { readonly kind: 'event'; readonly key: number; readonly interval: number; readonly region: Selection };

const quarter = fc.nat(7);
const region = fc.constantFrom(...REGIONS);
const selection = fc.constantFrom('all', 'all', ...REGIONS) as fc.Arbitrary<Selection>;
const kill = fc.option(fc.nat(900), { freq: 6, nil: undefined });

const start: fc.Arbitrary<Start> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), interval: quarter, region: selection }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), interval: quarter }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('event' as const), key: fc.nat(2), interval: quarter, region: selection }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), quarter, region }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('update' as const, 'delete' as const), which: fc.nat(20) }) },
  { weight: 8, arbitrary: fc.tuple(start, kill).map(([each, ms]) => ({ ...each, kill: ms })) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('both' as const), starts: fc.tuple(start, start), kill }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rerun' as const),
      which: fc.nat(10),
      from: fc.constantFrom('extract' as const, 'load' as const, undefined),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('backfill' as const),
      interval: quarter,
      count: fc.integer({ min: 1, max: 3 }),
      reprocess: fc.constantFrom('none' as const, 'failed' as const, 'all' as const),
      kill,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clock' as const) }) },
);

/** Generates random histories of at most `steps` steps. */
export function histories(steps: number): fc.Arbitrary<History> {
  return fc.record({
    clock: fc.constantFrom('quarters' as const, 'days' as const),
    method: fc.constantFrom('append' as const, 'append' as const, 'replace' as const, 'upsert' as const, 'merge' as const),
    onOverlap: fc.constantFrom(undefined, 'replace' as const, 'append' as const),
    incremental: fc.boolean(),
    kafka: fc.option(fc.constant(true), { freq: 5, nil: false }).map((given) => given === true),
    rows: fc.array(fc.record({ quarter, region }), { minLength: 1, maxLength: 6 }),
    steps: fc.array(step, { minLength: 2, maxLength: steps }),
  });
}

export interface Interval {
  readonly start: number;
  readonly end: number;
}

const FIRST_DAY = Date.UTC(2026, 2, 2);
const QUARTER = 6 * 3_600_000;

/** The interval with this index: of the two days, or their eight quarters. Milliseconds. */
export function intervalOf(clock: Clock, number: number): Interval {
  const [length, count] = clock === 'days' ? [4 * QUARTER, 2] : [QUARTER, 8];
  const start = FIRST_DAY + (number % count) * length;
  return { start, end: start + length };
}

/** The time of a row, in milliseconds. */
export function timeOf({ quarter: number }: Pick<Row, 'quarter'>): number {
  return FIRST_DAY + number * QUARTER + QUARTER / 2;
}
