import type { CalendarPlan } from '../workflows/plan/timetable/calendar.ts';
import { formatDuration } from '../workflows/plan/values/duration.ts';
import type { SlaPlan } from '../workflows/plan/incidents/sla.ts';
import { SLA_REFERENCES } from '../workflows/plan/incidents/sla-references.ts';
import { formatWallTime } from '../workflows/plan/timetable/time-zone.ts';

/** The expectation of an SLA and its deadline (milliseconds). */
export function slaText({ promise, calendar }: SlaPlan, deadline: number, timezone: string): string {
  const by = `by ${formatWallTime(deadline, timezone)}`;
  if (promise.kind !== 'within') return `it should have ended ${by}`;
  return `it should have ended ${slaDurationText(promise.ms, calendar)} ${SLA_REFERENCES[promise.reference].words}, ${by}`;
}

/** The allowed duration of an SLA, counted on the days of its calendar. */
export function slaDurationText(ms: number, calendar: CalendarPlan | undefined): string {
  if (!calendar) return formatDuration(ms);
  return `${formatDuration(ms)} of ${calendar.businessDays ? 'business days' : 'counted days'}`;
}
