import type { KnownRun } from './known-run.ts';

/** How many ended runs of a pipeline are kept. */
export interface EndedLimits {
  /** The newest intervals; without intervals, the newest runs. Monitors check the last 100 ticks of a schedule. */
  readonly intervals: number;
  /** Of one interval, the runs that ended last. */
  readonly runsOfInterval: number;
}

export const ENDED_LIMITS: EndedLimits = { intervals: 1_000, runsOfInterval: 100 };

/** Keep failed runs at least this long, milliseconds, so that they are checked and get an incident. */
const FRESH_MS = 600_000;

/**
 * The runs of one pipeline that can be dropped: intervals whose last run ended long ago, and runs beyond the limits. All runs of an
 * interval are dropped together, because a part of them would be misleading.
 * @param isOfProblem whether an open problem concerns a run @param now milliseconds @param keptMs how long ended runs are kept
 */
export function surplusRuns(
  runs: readonly KnownRun[],
  isOfProblem: (known: KnownRun) => boolean,
  now: number,
  keptMs: number,
  limits: EndedLimits = ENDED_LIMITS,
): KnownRun[] {
  const isFree = ({ lastEnd, failedAt, runs: own }: Interval): boolean =>
    lastEnd !== undefined && now - (failedAt ?? 0) >= FRESH_MS && !own.some(isOfProblem);
  const intervals = groupByInterval(runs).sort((a, b) => b.start - a.start);
  return intervals.flatMap((interval, index) => {
    const isSurplus = index >= limits.intervals && isFree(interval);
    const isOld = interval.lastEnd !== undefined && now - interval.lastEnd >= keptMs && !interval.runs.some(isOfProblem);
    if (isSurplus || isOld) return interval.runs;
    return surplusOf(interval.runs, isOfProblem, limits.runsOfInterval);
  });
}

interface Interval {
  /** Milliseconds. */
  readonly start: number;
  readonly runs: readonly KnownRun[];
  /** When its last run ended; absent while a run is active. */
  readonly lastEnd?: number;
  /** When a run last failed, if none has succeeded. */
  readonly failedAt?: number;
}

function groupByInterval(runs: readonly KnownRun[]): Interval[] {
  const groups = new Map<string, KnownRun[]>();
  for (const known of runs) {
    const key = known.run.interval?.start ?? known.run.pipelineRunId;
    const group = groups.get(key);
    if (group) group.push(known);
    else groups.set(key, [known]);
  }
  return [...groups.values()].map((group): Interval => {
    const ends = group.map(({ run }) => run.endedAt ?? Infinity);
    const lastEnd = latest(ends);
    const first = group[0]?.run;
    const start = first?.interval ? Date.parse(first.interval.start) : (first?.queuedAt ?? 0);
    const hasSucceeded = group.some(({ run }) => run.state === 'success');
    return { start, runs: group, ...(lastEnd < Infinity && { lastEnd, ...(!hasSucceeded && { failedAt: lastEnd }) }) };
  });
}

/** Drops the runs of an interval that ended first, except the last success, which says as much as the others. */
function surplusOf(runs: readonly KnownRun[], isOfProblem: (known: KnownRun) => boolean, most: number): KnownRun[] {
  const ended = runs.filter(({ run }) => run.endedAt !== undefined);
  if (ended.length <= most) return [];
  const newestFirst = ended.sort((a, b) => (b.run.endedAt ?? 0) - (a.run.endedAt ?? 0));
  const success = newestFirst.find(({ run }) => run.state === 'success');
  return newestFirst.slice(most).filter((known) => known !== success && !isOfProblem(known));
}

function latest(times: readonly number[]): number {
  return times.reduce((most, time) => Math.max(most, time), -Infinity);
}
