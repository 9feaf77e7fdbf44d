import { nextTick, parseCron, previousTick } from './cron.ts';

/** When the clock starts a pipeline, as the plan carries it. */
export type SchedulePlan = { readonly timezone: string; readonly jitterMs?: number; readonly startAt?: string; readonly endAt?: string } & (
  { readonly kind: 'cron'; readonly cron: string } | { readonly kind: 'every'; readonly everyMs: number }
);

/** Airflow's presets. */
export const PRESETS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** Half open, ISO 8601 in UTC: `[start, end)`. `start` is the logical date. */
export interface DataInterval {
  readonly start: string;
  readonly end: string;
}

/** The first tick after `after` (exclusive, milliseconds), or undefined when the schedule has none left. */
export function tickAfter(schedule: SchedulePlan, after: number): number | undefined {
  const from = Math.max(after, schedule.startAt === undefined ? -Infinity : Date.parse(schedule.startAt) - 1);
  const tick =
    schedule.kind === 'every'
      ? (Math.floor(from / schedule.everyMs) + 1) * schedule.everyMs
      : nextTick(parseCron(schedule.cron), schedule.timezone, from);
  return tick !== undefined && schedule.endAt !== undefined && tick > Date.parse(schedule.endAt) ? undefined : tick;
}

/**
 * The data interval of a run at `instant` (milliseconds), Airflow's meaning: from the tick before to the tick at or before `instant`, so
 * that a scheduled run works on what has just become complete, and a manual one on the last complete interval. Without a schedule the
 * interval is empty: `[instant, instant)`.
 */
export function dataIntervalAt(schedule: SchedulePlan | null, instant: number): DataInterval {
  const [start, end] = bounds(schedule, instant);
  return { start: iso(start), end: iso(end) };
}

function bounds(schedule: SchedulePlan | null, instant: number): [number, number] {
  if (schedule === null) return [instant, instant];
  if (schedule.kind === 'every') {
    const end = Math.floor(instant / schedule.everyMs) * schedule.everyMs;
    return [end - schedule.everyMs, end];
  }
  const cron = parseCron(schedule.cron);
  const end = previousTick(cron, schedule.timezone, instant + 1) ?? instant;
  return [previousTick(cron, schedule.timezone, end) ?? end, end];
}

/** ISO 8601 in UTC, without milliseconds where there are none. */
export function iso(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
