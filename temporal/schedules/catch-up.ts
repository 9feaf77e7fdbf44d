import type { Client } from '@temporalio/client';
import { isExpired, stateOfInterval } from '../../workflows/plan/timetable/interval-coverage.ts';
import { catchupIntervals, intervalsCompletedSince } from '../../workflows/plan/timetable/intervals.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { BackfillRefused, startBackfill } from './backfills.ts';
import { intervalRuns } from '../runs/intervals.ts';
import { expiryOf } from '../retention.ts';
import type { TickSpan } from './follow-up.ts';
import { startScheduledRun } from './ticks.ts';

/** How far back to search for ticks that an update may have dropped, in milliseconds: the server processes a due tick within seconds. */
const LOOK_BACK = 10 * 60_000;

/**
 * Starts runs for due ticks that updates of their Schedule have dropped: Temporal forgets ticks that it has not processed. The runs use the
 * current plan, as buffered ticks do.
 * @param plan as applied now
 * @param name of the pipeline; default: its dag_id
 * @returns the ids of the started runs
 */
export async function accountForTicks(
  client: Client,
  plan: Plan,
  taskQueue: string,
  { schedule, from, to, held }: TickSpan & { readonly to: number },
  name: PipelineName = plan.dagId,
): Promise<string[]> {
  const due = intervalsCompletedSince(schedule, held?.since ?? Math.max(from, to - LOOK_BACK), to);
  const [first] = due;
  if (!first) return [];
  const runs = await intervalRuns(client, { dagId: plan.dagId, schedule }, first.start, due.at(-1)?.end ?? first.end, taskQueue);
  const started: string[] = [];
  const missing = due.filter((interval) => !stateOfInterval(interval, runs)).slice(held?.count ?? 0);
  for (const interval of missing.filter(({ end }) => Date.parse(end) > from)) {
    const { id, outcome } = await startScheduledRun(client, plan, taskQueue, interval, schedule, name);
    if (outcome === 'started') started.push(id);
  }
  return started;
}

/**
 * Starts a backfill for `catchup`: the intervals since `start_date` that never ran. Operators can inspect, pause and cancel it.
 * @returns the backfill's workflow id; undefined if nothing is missing, or the backfill is already active
 */
export async function catchUp(
  client: Client,
  plan: Plan,
  taskQueue: string,
  now: number,
  name: PipelineName = plan.dagId,
): Promise<string | undefined> {
  if (!plan.catchup) return undefined;
  const expiredBefore = await expiryOf(client, name, now);
  const intervals = catchupIntervals(plan.schedule, plan.catchup, now).filter((interval) => !isExpired(interval, expiredBefore));
  const [first] = intervals;
  const last = intervals.at(-1);
  if (!first || !last) return undefined;
  const runs = await intervalRuns(client, plan, first.start, last.end, taskQueue);
  if (intervals.every((interval) => stateOfInterval(interval, runs))) return undefined;
  try {
    const { pipelineRunId } = await startBackfill(client, taskQueue, {
      plan,
      from: Date.parse(first.start),
      to: Date.parse(last.start),
      reprocess: 'none',
      maxActive: plan.maxActiveRuns ?? 1,
      reverse: false,
      name,
    });
    return pipelineRunId;
  } catch (error) {
    if (error instanceof BackfillRefused) return undefined;
    throw error;
  }
}
