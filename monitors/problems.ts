import type { MonitorSettings } from '../workflows/plan/incidents/incident.ts';
import { slaReference, type Times } from '../workflows/plan/incidents/sla-references.ts';
import { withinPipeline } from '../workflows/plan/ids.ts';
import { deadlineOf } from '../workflows/plan/timetable/deadlines.ts';
import { type Plan, timezoneOf } from '../workflows/plan/plan.ts';
import { isUnderWay } from '../workflows/plan/runs/run.ts';
import { type DataInterval, dataIntervalAt, tickAfter, tickBefore } from '../workflows/plan/timetable/schedule.ts';
import { isSuppressedFor, type SlaPlan, watchedFor } from '../workflows/plan/incidents/sla.ts';
import { findStale, isOfFreshness } from './freshness.ts';
import { type Problem, severityOf, slaName } from './problem.ts';
import { slaText } from './sla-text.ts';
import { findWaits } from './waits.ts';
import type { WatchedPipeline, WatchedRun } from './watched.ts';

/** Maximum number of intervals checked for missing runs, newest first. */
const MOST_INTERVALS = 100;

/** Whether problems of a pipeline are reported. */
export function isWatched({ slas, alerts, critical }: Plan): boolean {
  return slas !== undefined || alerts !== undefined || critical === true;
}

/** Finds the problems of a pipeline at the time `now` (milliseconds). Pure: the same facts give the same problems. */
export function findProblems(pipeline: WatchedPipeline, now: number, settings: MonitorSettings): Problem[] {
  const waits = findWaits(pipeline);
  if (!isWatched(pipeline.plan) && !pipeline.runs.some(({ plan }) => isWatched(plan))) return waits;
  return [
    ...waits,
    ...subjectsOf(pipeline, now).flatMap((subject) => problemsOf(subject, pipeline, now, settings)),
    ...findStale(pipeline, now),
  ];
}

/** What SLAs apply to: an interval with all its runs, or a single run without a schedule. */
interface Subject {
  readonly id: string;
  readonly interval?: DataInterval;
  readonly runs: readonly WatchedRun[];
}

function subjectsOf({ plan, createdAt, runs, keptSince = 0 }: WatchedPipeline, now: number): Subject[] {
  const { schedule } = plan;
  if (!schedule) {
    return runs.map((run) => ({
      id: withinPipeline(run.pipelineRunId),
      runs: laterThan(run, runs),
      ...(run.interval && { interval: run.interval }),
    }));
  }
  const subjects = new Map<string, { id: string; interval: DataInterval; runs: WatchedRun[] }>();
  // Temporal may have removed the runs of older intervals.
  const earliest = Math.max(createdAt, now - watchedFor(plan.slas), keptSince);
  let tick = tickBefore(schedule, now + 1);
  while (tick !== undefined && tick >= earliest && subjects.size < MOST_INTERVALS) {
    const interval = dataIntervalAt(schedule, tick);
    subjects.set(interval.start, { id: interval.start, interval, runs: [] });
    tick = tickBefore(schedule, tick);
  }
  for (const run of runs) {
    if (!run.interval) continue;
    const { start } = run.interval;
    const subject = subjects.get(start) ?? { id: start, interval: run.interval, runs: [] };
    subject.runs.push(run);
    subjects.set(start, subject);
  }
  return [...subjects.values()];
}

/** Any later success replaces a run without a schedule. */
function laterThan(run: WatchedRun, runs: readonly WatchedRun[]): WatchedRun[] {
  return [run, ...runs.filter((each) => each !== run && each.queuedAt > run.queuedAt && each.state === 'success')];
}

function problemsOf(
  { id, interval, runs }: Subject,
  { plan: current, paused, runs: all, started }: WatchedPipeline,
  now: number,
  settings: MonitorSettings,
): Problem[] {
  const [newest] = [...runs].sort((a, b) => b.queuedAt - a.queuedAt);
  const plan = newest?.plan ?? current;
  if (!isWatched(plan)) return [];
  const make = (problem: Pick<Problem, 'kind' | 'since' | 'what'> & Partial<Problem>): Problem => ({
    key: [plan.dagId, problem.sla ? slaName(problem.sla) : problem.kind, id].join('/'),
    state: 'breach',
    plan,
    severity: severityOf(plan, problem.sla),
    ...(interval && { interval }),
    ...(newest && { run: newest }),
    ...problem,
  });
  const succeeded = runs.some(({ state }) => state === 'success');
  const underWay = runs.find(({ state }) => isUnderWay(state));
  const found: Problem[] = [];
  if (!succeeded) {
    const failed = runs.filter(hasFailed).sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0];
    if (failed) found.push(make({ kind: 'failed', since: failed.endedAt ?? now, what: failureWords(failed), run: failed }));
    else if (plan.critical && underWay?.state === 'held') {
      found.push(make({ kind: 'held', since: underWay.startedAt ?? underWay.queuedAt, what: 'is on hold', run: underWay }));
    } else if (underWay && !underWay.hasStarted && now - underWay.queuedAt >= settings.neverStartedMs) {
      found.push(make({ kind: 'never_started', since: underWay.queuedAt, what: 'has a run that no worker has started', run: underWay }));
    } else if (interval && runs.length === 0 && current.schedule) {
      const due = Date.parse(interval.end);
      const patience = settings.graceMs + (current.schedule.jitterMs ?? 0);
      // Runs that must not overlap wait for each other: such an interval is not missing.
      const held =
        current.maxActiveRuns === undefined &&
        !current.concurrency &&
        all.some(({ state, queuedAt }) => isUnderWay(state) && queuedAt < due + patience);
      if (!paused && !held && !started?.has(interval.start) && now - due >= patience)
        found.push(make({ kind: 'missing', since: due, what: 'has not run: its schedule should have started it' }));
    }
  }
  for (const sla of plan.slas ?? []) {
    if (isOfFreshness(sla) || isSuppressed(sla, runs, paused)) continue;
    if (sla.promise.kind === 'assert') {
      const last = runs.filter(({ state }) => state === 'success').sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0];
      const reason = last?.broken?.get(sla.name);
      if (last && reason !== undefined) found.push(make({ kind: 'assert', sla, since: last.endedAt ?? now, what: reason, run: last }));
      continue;
    }
    if (succeeded || found.some(({ kind }) => kind === 'failed' || kind === 'missing')) continue;
    const times: Times = {
      ...(interval && plan.schedule && { interval }),
      ...(underWay && { queuedAt: underWay.queuedAt }),
      ...(underWay?.startedAt !== undefined && { startedAt: underWay.startedAt }),
    };
    const task = sla.task === undefined ? undefined : underWay?.tasks?.find((each) => each.task === sla.task);
    if (task?.hasEnded) continue;
    if (sla.task !== undefined && sla.promise.kind === 'within' && slaReference(sla.promise.reference)?.of === 'subject') {
      if (task?.startedAt === undefined) continue;
      found.push(...lateness(sla, plan, { ...times, startedAt: task.startedAt }, now, make, underWay));
    } else found.push(...lateness(sla, plan, times, now, make, underWay));
  }
  if (
    !succeeded &&
    plan.critical &&
    interval &&
    plan.schedule &&
    found.length === 0 &&
    !(plan.slas ?? []).some(({ task, promise }) => task === undefined && promise.kind !== 'assert')
  ) {
    // Without an SLA, a critical pipeline is late when it has not ended by the end of the next interval.
    const [start, end] = [Date.parse(interval.start), Date.parse(interval.end)];
    const at = tickAfter(plan.schedule, end) ?? end + (end - start);
    if (now >= at && !paused && underWay && !isBackfill(underWay))
      found.push(make({ kind: 'late', since: at, what: 'is still running although the next interval is complete', run: underWay }));
  }
  return found;
}

function lateness(
  sla: SlaPlan,
  plan: Plan,
  times: Times,
  now: number,
  make: (problem: Pick<Problem, 'kind' | 'since' | 'what'> & Partial<Problem>) => Problem,
  run?: WatchedRun,
): Problem[] {
  const deadline = deadlineOf(sla, timezoneOf(plan), times);
  if (!deadline) return [];
  const words = `${sla.task === undefined ? '' : `task ${sla.task} `}${slaText(sla, deadline.at, timezoneOf(plan))}`;
  const late = { kind: 'late', sla, deadline: deadline.at, ...(run && { run }) } as const;
  if (now >= deadline.at) return [make({ ...late, since: deadline.at, what: `is late: ${words}` })];
  if (deadline.warnAt === undefined || now < deadline.warnAt) return [];
  return [make({ ...late, state: 'warning', since: deadline.warnAt, what: `may be late: ${words}`, severity: 'warning' })];
}

function hasFailed({ state }: WatchedRun): boolean {
  return /^(failed|timed_out|terminated)/.test(state);
}

function failureWords({ state }: WatchedRun): string {
  return state.startsWith('timed_out') ? 'timed out' : state.startsWith('terminated') ? 'was terminated' : 'failed';
}

function isBackfill({ cause }: WatchedRun): boolean {
  return cause === 'backfill';
}

function isSuppressed(sla: SlaPlan, runs: readonly WatchedRun[], paused: boolean): boolean {
  if (paused && sla.suppressWhen.includes('paused')) return true;
  return runs.length > 0 && runs.every(({ cause }) => isSuppressedFor(sla, cause));
}
