import type { CalendarPlan } from '../workflows/plan/timetable/calendar.ts';
import { formatDuration } from '../workflows/plan/values/duration.ts';
import type { SlaPlan } from '../workflows/plan/incidents/sla.ts';
import { formatWallTime } from '../workflows/plan/timetable/time-zone.ts';

const REFERENCE_WORDS = {
  logical_date: 'after its logical date',
  data_interval_end: 'after the end of its interval',
  queued_at: 'after it was asked for',
  started_at: 'after its start',
  previous_success: 'after the last success',
} as const;

/** What was promised, and until when (milliseconds). */
export function slaText({ promise, calendar }: SlaPlan, deadline: number, timezone: string): string {
  const by = `by ${formatWallTime(deadline, timezone)}`;
  if (promise.kind !== 'within') return `it should have ended ${by}`;
  return `it should have ended ${slaDurationText(promise.ms, calendar)} ${REFERENCE_WORDS[promise.reference]}, ${by}`;
}

/** How long something is promised to take, on the days that count. */
export function slaDurationText(ms: number, calendar: CalendarPlan | undefined): string {
  if (!calendar) return formatDuration(ms);
  return `${formatDuration(ms)} of ${calendar.businessDays ? 'business days' : 'the days that count'}`;
}
