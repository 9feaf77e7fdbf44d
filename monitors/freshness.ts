import { type Deadline, deadlineOf } from '../workflows/plan/timetable/deadlines.ts';
import { timezoneOf } from '../workflows/plan/plan.ts';
import { iso, tickAfter } from '../workflows/plan/timetable/schedule.ts';
import type { SlaPlan } from '../workflows/plan/incidents/sla.ts';
import { slaReference } from '../workflows/plan/incidents/sla-references.ts';
import { formatWallTime } from '../workflows/plan/timetable/time-zone.ts';
import { type Problem, severityOf } from './problem.ts';
import { slaDurationText } from './sla-text.ts';
import type { WatchedPipeline } from './watched.ts';

/** Whether an SLA is about the freshness of a dataset or of a pipeline's last success, and not about single runs. */
export function isOfFreshness({ promise, dataset }: SlaPlan): boolean {
  return dataset !== undefined || (promise.kind === 'within' && slaReference(promise.reference)?.of === 'pipeline');
}

/** Finds SLAs of a pipeline whose data is stale at the time `now` (milliseconds). */
export function findStale(pipeline: WatchedPipeline, now: number): Problem[] {
  const { plan, createdAt, paused, lastSuccess, updates, keptSince = 0 } = pipeline;
  return (plan.slas ?? []).flatMap((sla): Problem[] => {
    if (!isOfFreshness(sla) || (paused && sla.suppressWhen.includes('paused'))) return [];
    const last = sla.dataset === undefined ? lastSuccess : updates?.get(sla.dataset);
    // Removed runs may have been successes: the absence of a success is proven only for the retained period.
    const deadline = nextDeadline(sla, pipeline, last ?? Math.max(createdAt, keptSince));
    if (!deadline) return [];
    const timezone = timezoneOf(plan);
    const what = sla.dataset === undefined ? 'success' : `update of ${sla.dataset}`;
    const within = sla.promise.kind === 'within' ? ` in ${slaDurationText(sla.promise.ms, sla.calendar)}` : '';
    const before =
      last === undefined
        ? `none since ${formatWallTime(Math.max(createdAt, keptSince), timezone)}`
        : `the last was at ${formatWallTime(last, timezone)}`;
    const words = `no ${what}${within}, due by ${formatWallTime(deadline.at, timezone)}; ${before}`;
    const stale = { key: `${plan.dagId}/${sla.name}/freshness`, kind: 'stale', plan, sla, deadline: deadline.at } as const;
    if (now >= deadline.at)
      return [{ ...stale, state: 'breach', severity: severityOf(plan, sla), since: deadline.at, what: `is stale: ${words}` }];
    if (deadline.warnAt === undefined || now < deadline.warnAt) return [];
    return [{ ...stale, state: 'warning', severity: 'warning', since: deadline.warnAt, what: `may become stale: ${words}` }];
  });
}

/**
 * The deadline of the next update. With a time of day, each tick of the schedule requires a new update: data from before the tick is based
 * on older input. A tick at exactly that time of day counts for the next day.
 */
function nextDeadline(sla: SlaPlan, { plan }: WatchedPipeline, last: number): Deadline | undefined {
  if (sla.promise.kind !== 'by') return deadlineOf(sla, timezoneOf(plan), { previousSuccess: last });
  const tick = plan.schedule ? tickAfter(plan.schedule, last) : undefined;
  if (tick === undefined) return undefined;
  const asked = iso(tick + 1);
  return deadlineOf(sla, timezoneOf(plan), { interval: { start: asked, end: asked } });
}
