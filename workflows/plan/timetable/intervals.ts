import { type DataInterval, dataIntervalAt, iso, type SchedulePlan, tickAfter, tickBefore } from './schedule.ts';

/** A range of intervals: those that begin in `[from, to]` and are complete at `now`. In milliseconds. */
export interface IntervalRange {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** Maximum number of intervals. */
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

/** Whether an interval is the newest complete one at `now` (milliseconds): true until the next interval ends. */
export function isNewest(schedule: SchedulePlan, { end }: DataInterval, now: number): boolean {
  const next = tickAfter(schedule, Date.parse(end));
  return next === undefined || next > now;
}

/** The intervals that became complete in `(since, now]`, oldest first. */
export function intervalsCompletedSince(schedule: SchedulePlan, since: number, now: number): DataInterval[] {
  const intervals: DataInterval[] = [];
  for (let end = tickAfter(schedule, since); end !== undefined && end <= now; end = tickAfter(schedule, end)) {
    intervals.push(dataIntervalAt(schedule, end));
  }
  return intervals;
}

/** Which missed intervals to run when the pipeline is applied: see `catchup` in the language. */
export interface CatchupPlan {
  readonly mode: 'latest' | 'all';
  /** Skips older intervals. */
  readonly windowMs?: number;
  /** Runs only the newest ones, up to this number. */
  readonly maxRuns?: number;
}

/** Far above real use: a schedule of every second since 1970 is a mistake. */
const MAX_CATCHUP = 10_000;

/** The intervals that a catch-up at `now` runs: complete ones since `start_date`, oldest first; none without a `start_date`. */
export function catchupIntervals(schedule: SchedulePlan | null, catchup: CatchupPlan, now: number): DataInterval[] {
  if (schedule?.startAt === undefined) return [];
  const from = Math.max(Date.parse(schedule.startAt), catchup.windowMs === undefined ? -Infinity : now - catchup.windowMs);
  const limit = catchup.mode === 'latest' ? 1 : (catchup.maxRuns ?? MAX_CATCHUP);
  return intervalsBackwards(schedule, { from, to: now, now, limit }).reverse();
}
