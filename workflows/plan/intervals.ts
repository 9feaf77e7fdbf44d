import { isUnderWay } from './run.ts';
import { type DataInterval, dataIntervalAt, iso, type SchedulePlan, tickAfter, tickBefore } from './schedule.ts';

/** How the runs of one data interval stand, of whatever cause: the best that there is of them. */
export interface IntervalState {
  readonly state: string;
  /** The run that it is the state of. */
  readonly pipelineRunId: string;
}

/** Which intervals are meant: those that begin in `[from, to]` and are complete at `now`. Milliseconds. */
export interface IntervalRange {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** No more than so many. */
  readonly limit: number;
}

/** The data intervals of a range, oldest first. */
export function intervalsBetween(schedule: SchedulePlan, { from, to, now, limit }: IntervalRange): DataInterval[] {
  const intervals: DataInterval[] = [];
  let end = tickAfter(schedule, from);
  let start = end === undefined ? 0 : Date.parse(dataIntervalAt(schedule, end).start);
  while (end !== undefined && end <= now && start <= to && intervals.length < limit) {
    if (start >= from) intervals.push({ start: iso(start), end: iso(end) });
    start = end;
    end = tickAfter(schedule, end);
  }
  return intervals;
}

/** The data intervals of a range, newest first. */
export function intervalsBackwards(schedule: SchedulePlan, { from, to, now, limit }: IntervalRange): DataInterval[] {
  const intervals: DataInterval[] = [];
  let end = tickBefore(schedule, Math.min(now, tickAfter(schedule, to) ?? now) + 1);
  while (end !== undefined && intervals.length < limit) {
    const interval = dataIntervalAt(schedule, end);
    if (Date.parse(interval.start) < from) break;
    intervals.push(interval);
    end = tickBefore(schedule, end);
  }
  return intervals;
}

/** The intervals that became complete in `(since, now]`, oldest first. */
export function intervalsCompletedSince(schedule: SchedulePlan, since: number, now: number): DataInterval[] {
  const intervals: DataInterval[] = [];
  for (let end = tickAfter(schedule, since); end !== undefined && end <= now; end = tickAfter(schedule, end)) {
    intervals.push(dataIntervalAt(schedule, end));
  }
  return intervals;
}

/** Which intervals a backfill runs again: none that has a run, those that have no good one, or all. */
export const REPROCESS = ['none', 'failed', 'all'] as const;
export type Reprocess = (typeof REPROCESS)[number];

/** Whether a backfill runs an interval, and why, or why not. */
export interface Choice {
  readonly interval: DataInterval;
  readonly runs: boolean;
  readonly why: string;
}

/** What a backfill does with each interval, given how their runs stand. */
export function chooseIntervals(
  intervals: readonly DataInterval[],
  states: Readonly<Record<string, IntervalState>>,
  reprocess: Reprocess,
): Choice[] {
  return intervals.map((interval) => {
    const known = states[interval.start];
    if (!known) return { interval, runs: true, why: 'never ran' };
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

/** The better of two states of one interval: a success stays one, whatever else was tried; what goes on may become one. */
export function betterState(a: IntervalState | undefined, b: IntervalState): IntervalState {
  const rank = ({ state }: IntervalState): number => (state === 'success' ? 2 : isUnderWay(state) ? 1 : 0);
  return a && rank(a) >= rank(b) ? a : b;
}

/** What the clock wants of a pipeline that was not there, or not on time: see `catchup` in the language. */
export interface CatchupPlan {
  readonly mode: 'latest' | 'all';
  /** Only intervals that are not older. */
  readonly windowMs?: number;
  /** The newest so many. */
  readonly maxRuns?: number;
}

/** Far more than anybody means: a schedule of every second since 1970 is a mistake. */
const MAX_CATCHUP = 10_000;

/** The intervals that a catch-up at `now` is about: complete ones since `start_date`, oldest first. Without a `start_date` there are none. */
export function catchupIntervals(schedule: SchedulePlan | null, catchup: CatchupPlan, now: number): DataInterval[] {
  if (schedule?.startAt === undefined) return [];
  const from = Math.max(Date.parse(schedule.startAt), catchup.windowMs === undefined ? -Infinity : now - catchup.windowMs);
  const limit = catchup.mode === 'latest' ? 1 : (catchup.maxRuns ?? MAX_CATCHUP);
  return intervalsBackwards(schedule, { from, to: now, now, limit }).reverse();
}
