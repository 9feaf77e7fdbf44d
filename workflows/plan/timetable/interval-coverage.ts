import { isUnderWay } from '../runs/run.ts';
import { type DataInterval, iso } from './schedule.ts';

/** A run and its data interval. */
export interface IntervalRun extends IntervalState {
  readonly interval: DataInterval;
}

/** The state of an interval: that of its best run. */
export interface IntervalState {
  readonly state: string;
  /** The run with this state. */
  readonly pipelineRunId: string;
}

/**
 * The state of an interval, from all runs that cover it, whatever started them. A run must cover the whole interval: after a change from
 * hourly to daily, the first hour does not cover the day, but a day of successful hours does.
 * @returns undefined when no run covers it
 */
export function stateOfInterval(interval: DataInterval, runs: readonly IntervalRun[]): IntervalState | undefined {
  const covering = runs.filter((run) => covers(run.interval, interval));
  const best = covering.reduce<IntervalState | undefined>(betterState, undefined);
  if (best?.state === 'success') return best;
  const parts = successesWithin(interval, runs);
  const [first] = parts;
  return first && missingParts(interval, parts).length === 0 ? { state: 'success', pipelineRunId: first.pipelineRunId } : best;
}

/** Which intervals with an earlier run a backfill runs again: none, those without a successful run, or all. */
export const REPROCESS = ['none', 'failed', 'all'] as const;
export type Reprocess = (typeof REPROCESS)[number];

/** Whether a backfill runs an interval, and the reason. */
export interface Choice {
  readonly interval: DataInterval;
  readonly runs: boolean;
  readonly why: string;
}

/**
 * Decides what a backfill does with each interval, given the existing runs.
 * @param expiredBefore ISO 8601: Temporal has deleted runs from before, so it is unknown whether earlier intervals have run
 */
export function chooseIntervals(
  intervals: readonly DataInterval[],
  runs: readonly IntervalRun[],
  reprocess: Reprocess,
  expiredBefore?: string,
): Choice[] {
  return intervals.map((interval) => {
    const known = stateOfInterval(interval, runs);
    if (!known && isExpired(interval, expiredBefore)) {
      const why = `expired: Temporal no longer has runs from then, so that it may have run`;
      return { interval, runs: reprocess === 'all', why: reprocess === 'all' ? why : `${why}; --reprocess all runs it` };
    }
    if (!known) return { interval, runs: true, why: describeGap(interval, runs) };
    if (isUnderWay(known.state)) return { interval, runs: false, why: `is ${known.state}: ${known.pipelineRunId}` };
    if (reprocess === 'all') return { interval, runs: true, why: `again: ${known.state}` };
    if (known.state === 'success') return { interval, runs: false, why: 'success' };
    return {
      interval,
      runs: reprocess === 'failed',
      why: reprocess === 'failed' ? `again: ${known.state}` : `${known.state}; --reprocess failed runs it again`,
    };
  });
}

/** Whether an interval without a run may have had one that was deleted. @param expiredBefore ISO 8601; absent: all runs are kept */
export function isExpired({ end }: DataInterval, expiredBefore: string | undefined): boolean {
  return expiredBefore !== undefined && Date.parse(end) < Date.parse(expiredBefore);
}

/** The better of two states of an interval: success ranks first, then an active run, which may still succeed. */
export function betterState(a: IntervalState | undefined, b: IntervalState): IntervalState {
  const rank = ({ state }: IntervalState): number => (state === 'success' ? 2 : isUnderWay(state) ? 1 : 0);
  return a && rank(a) >= rank(b) ? a : { state: b.state, pipelineRunId: b.pipelineRunId };
}

/** How many missing parts to name. */
const PARTS_NAMED = 3;

function describeGap(interval: DataInterval, runs: readonly IntervalRun[]): string {
  const parts = successesWithin(interval, runs);
  if (parts.length === 0) return 'never ran';
  const missing = missingParts(interval, parts);
  const named = missing.slice(0, PARTS_NAMED).map(({ start, end }) => `${start} – ${end}`);
  const more = missing.length > named.length ? `, and ${missing.length - named.length} more parts` : '';
  return `never ran as a whole: ${named.join(', ')}${more} is missing; ${parts.length} runs cover other parts of it`;
}

function successesWithin({ start, end }: DataInterval, runs: readonly IntervalRun[]): IntervalRun[] {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  return runs.filter(({ state, interval }) => state === 'success' && Date.parse(interval.start) < to && Date.parse(interval.end) > from);
}

/** The parts of an interval that no run covers, in order. */
function missingParts({ start, end }: DataInterval, runs: readonly IntervalRun[]): DataInterval[] {
  const missing: DataInterval[] = [];
  const covered = runs.map(({ interval }) => [Date.parse(interval.start), Date.parse(interval.end)] as const).sort(([a], [b]) => a - b);
  let at = Date.parse(start);
  for (const [from, to] of covered) {
    if (from > at) missing.push({ start: iso(at), end: iso(from) });
    at = Math.max(at, to);
  }
  if (at < Date.parse(end)) missing.push({ start: iso(at), end: iso(Date.parse(end)) });
  return missing;
}

function covers(whole: DataInterval, part: DataInterval): boolean {
  return Date.parse(whole.start) <= Date.parse(part.start) && Date.parse(whole.end) >= Date.parse(part.end);
}
