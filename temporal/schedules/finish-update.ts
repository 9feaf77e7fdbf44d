import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import { type SchedulePlan, tickAfter, tickBefore } from '../../workflows/plan/timetable/schedule.ts';
import { accountForTicks, catchUp } from './catch-up.ts';
import { scheduleOf } from './schedule-facts.ts';
import { removeFollowUp } from './schedules.ts';

/** Temporal processes a tick within this time, in milliseconds. */
const TICK_LATENCY_MS = 2000;

/** The follow-up work done after a Schedule was created or updated. */
export interface Finished {
  /** Runs of ticks that the update had dropped. */
  readonly started: readonly string[];
  /** The backfill for `catchup`. */
  readonly backfill?: string;
}

/**
 * Completes the last update of a Schedule: starts the runs of ticks that it dropped, and those of `catchup`. Can be interrupted anywhere
 * and called again; each run starts only once.
 * @throws UpdatedMeanwhile, NotScheduled
 */
export async function finishUpdate(client: Client, name: PipelineName, taskQueue: string): Promise<Finished> {
  const { plan, changedAt, followUp } = await scheduleOf(client, name);
  if (!followUp) return { started: [] };
  const started: string[] = [];
  for (const span of followUp.dropped) {
    started.push(...(await accountForTicks(client, plan, taskQueue, { ...span, to: span.to ?? changedAt }, name)));
  }
  const backfill = await catchUp(client, plan, taskQueue, changedAt, name);
  // Removing the mark is also an update that drops ticks, so wait until none is due.
  if (plan.schedule) await delay(untilQuiet(plan.schedule, Date.now()));
  await removeFollowUp(client, name, plan, taskQueue, followUp);
  if (plan.schedule) {
    const { changedAt: to, held } = await scheduleOf(client, name);
    started.push(
      ...(await accountForTicks(client, plan, taskQueue, { schedule: plan.schedule, from: changedAt, to, ...(held && { held }) }, name)),
    );
  }
  return { started, ...(backfill !== undefined && { backfill }) };
}

/** Milliseconds from `now` until no tick is near: Temporal has processed the last one, and the next one is not due yet. */
function untilQuiet(schedule: SchedulePlan, now: number): number {
  const last = tickBefore(schedule, now + 1) ?? -Infinity;
  const next = tickAfter(schedule, now) ?? Infinity;
  const distance = Math.min(TICK_LATENCY_MS, (next - last) / 3);
  if (now < last + distance) return last + distance - now;
  return now > next - distance ? next + distance - now : 0;
}
