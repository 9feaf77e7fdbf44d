import { type DataInterval, dataIntervalAt, iso, type SchedulePlan, tickAfter, tickBefore } from './schedule.ts';

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

/** Whether no interval after one is complete at `now` (milliseconds): from the end of an interval to the end of the next. */
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
