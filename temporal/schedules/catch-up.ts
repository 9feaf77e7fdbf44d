import type { Client } from '@temporalio/client';
import { isExpired, stateOfInterval } from '../../workflows/plan/timetable/interval-coverage.ts';
import { catchupIntervals, intervalsCompletedSince } from '../../workflows/plan/timetable/intervals.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { BackfillRefused, startBackfill } from './backfills.ts';
import { intervalRuns } from '../runs/intervals.ts';
import { expiryOf } from '../retention.ts';
import type { TickSpan } from './follow-up.ts';
import { startScheduledRun } from './ticks.ts';

/** How far back it is looked for ticks that an edit may have cost, in milliseconds: the server works through what is due within seconds. */
const LOOK_BACK = 10 * 60_000;

/**
 * Starts the runs of ticks that were due and that updates of their Schedule have dropped: Temporal forgets what it has not worked through yet.
 * They run as the pipeline is now, as ticks do that a Schedule holds back.
 * @param plan as it is applied now
 * @returns the ids of the runs that were started
 */
export async function accountForTicks(
  client: Client,
  plan: Plan,
  taskQueue: string,
  { schedule, from, to, held }: TickSpan & { readonly to: number },
): Promise<string[]> {
  const due = intervalsCompletedSince(schedule, held?.since ?? Math.max(from, to - LOOK_BACK), to);
  const [first] = due;
  if (!first) return [];
  const runs = await intervalRuns(client, { dagId: plan.dagId, schedule }, first.start, due.at(-1)?.end ?? first.end);
  const started: string[] = [];
  const missing = due.filter((interval) => !stateOfInterval(interval, runs)).slice(held?.count ?? 0);
  for (const interval of missing.filter(({ end }) => Date.parse(end) > from)) {
    const { id, outcome } = await startScheduledRun(client, plan, taskQueue, interval, schedule);
    if (outcome === 'started') started.push(id);
  }
  return started;
}

/**
 * Runs what `catchup` wants: the intervals since `start_date` that never ran, as a backfill that can be watched, paused and cancelled.
 * @returns the backfill's workflow id; undefined when nothing is to be caught up, or it is being done already
 */
export async function catchUp(client: Client, plan: Plan, taskQueue: string, now: number): Promise<string | undefined> {
  if (!plan.catchup) return undefined;
  const expiredBefore = await expiryOf(client, plan.dagId, now);
  const wanted = catchupIntervals(plan.schedule, plan.catchup, now).filter((interval) => !isExpired(interval, expiredBefore));
  const [first] = wanted;
  const last = wanted.at(-1);
  if (!first || !last) return undefined;
  const runs = await intervalRuns(client, plan, first.start, last.end);
  if (wanted.every((interval) => stateOfInterval(interval, runs))) return undefined;
  try {
    const { pipelineRunId } = await startBackfill(client, taskQueue, {
      plan,
      from: Date.parse(first.start),
      to: Date.parse(last.start),
      reprocess: 'none',
      maxActive: plan.maxActiveRuns ?? 1,
      reverse: false,
    });
    return pipelineRunId;
  } catch (error) {
    if (error instanceof BackfillRefused) return undefined;
    throw error;
  }
}
