import { dataIntervalAround, dataIntervalAt, type DataInterval } from '../timetable/schedule.ts';
import type { Json } from '../values/json.ts';
import type { Plan } from '../plan.ts';
import { wallTime } from '../timetable/time-zone.ts';
import { formatInstant } from './date-functions.ts';
import type { Shape } from './shape.ts';

/** The names available to every expression in a run; the same as Airflow's. */
export const RUN_NAMES = {
  ds: 'string',
  ds_nodash: 'string',
  ts: 'string',
  prev_ds: 'string',
  next_ds: 'string',
  logical_date: 'timestamp',
  data_interval_start: 'timestamp',
  data_interval_end: 'timestamp',
  run_id: 'string',
  dag_id: 'string',
} as const satisfies Record<string, Shape>;

/** The metadata of the event that started a run. */
export const EVENT_META: Shape = {
  fields: { key: 'string', headers: { fields: {} }, topic: 'string', partition: 'int', offset: 'int', timestamp: 'timestamp' },
};

/** The values of `RUN_NAMES` in one run. Dates use the plan's `dateZone`. */
export function runValues(
  { dagId, schedule, dateZone = 'UTC' }: Pick<Plan, 'dagId' | 'schedule' | 'dateZone'>,
  runId: string,
  interval: DataInterval,
): Record<keyof typeof RUN_NAMES, Json> {
  const start = Date.parse(interval.start);
  const day = dayIn(dateZone, start);
  const { previous, next } = neighbours(schedule, start, Date.parse(interval.end));
  return {
    ds: day,
    ds_nodash: day.replaceAll('-', ''),
    ts: formatInstant(start, dateZone),
    prev_ds: previous === undefined ? dayIn('UTC', Date.parse(day) - DAY_MS) : dayIn(dateZone, previous),
    next_ds: next === undefined ? dayIn('UTC', Date.parse(day) + DAY_MS) : dayIn(dateZone, next),
    logical_date: interval.start,
    data_interval_start: interval.start,
    data_interval_end: interval.end,
    run_id: runId,
    dag_id: dagId,
  };
}

const DAY_MS = 86_400_000;

/** When the previous and next intervals begin, in milliseconds; undefined without a schedule, where the adjacent days are used. */
function neighbours(schedule: Plan['schedule'], start: number, end: number): { readonly previous?: number; readonly next?: number } {
  const around = schedule && dataIntervalAround(schedule, start);
  if (!around) return {};
  return {
    previous: Date.parse(dataIntervalAt(schedule, Date.parse(around.start)).start),
    next: end > start ? end : Date.parse(around.end),
  };
}

function dayIn(zone: string, instant: number): string {
  return new Date(wallTime(instant, zone)).toISOString().slice(0, 10);
}
