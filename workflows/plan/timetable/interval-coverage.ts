import { isUnderWay } from '../runs/run.ts';
import { type DataInterval, iso } from './schedule.ts';

/** A run, and the data interval that it is about. */
export interface IntervalRun extends IntervalState {
  readonly interval: DataInterval;
}

/** The state of an interval: that of the best of its runs. */
export interface IntervalState {
  readonly state: string;
  /** The run that it is the state of. */
  readonly pipelineRunId: string;
}

/**
 * The state of an interval by the runs that cover it, whatever started them. A run covers an interval if it covers all of it: after a change
 * from hourly to daily, the first hour is not the day. Hours that have all succeeded are.
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

/** Which intervals a backfill runs that have a run already: none, those that have no good one, or all. */
export const REPROCESS = ['none', 'failed', 'all'] as const;
export type Reprocess = (typeof REPROCESS)[number];

/** Whether a backfill runs an interval, and why, or why not. */
export interface Choice {
  readonly interval: DataInterval;
  readonly runs: boolean;
  readonly why: string;
}

/**
 * What a backfill does with each interval, given the runs that there are.
 * @param expiredBefore ISO 8601: whether an interval that ended before has run is not known, because Temporal has removed such runs
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

/** Whether nobody can know if an interval without a run has had one. @param expiredBefore ISO 8601; absent: everything is kept */
export function isExpired({ end }: DataInterval, expiredBefore: string | undefined): boolean {
  return expiredBefore !== undefined && Date.parse(end) < Date.parse(expiredBefore);
}

/** The better of two states of one interval: a success stays one, whatever else was tried; a run that goes on may become one. */
export function betterState(a: IntervalState | undefined, b: IntervalState): IntervalState {
  const rank = ({ state }: IntervalState): number => (state === 'success' ? 2 : isUnderWay(state) ? 1 : 0);
  return a && rank(a) >= rank(b) ? a : { state: b.state, pipelineRunId: b.pipelineRunId };
}

/** Of the parts that are missing, so many are named. */
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
