import type { DataInterval } from '../schedule.ts';
import type { Json } from '../json.ts';
import type { Shape } from './shape.ts';

/** The names that every expression in a run has, Airflow's. */
export const RUN_NAMES = {
  ds: 'string',
  ds_nodash: 'string',
  logical_date: 'timestamp',
  data_interval_start: 'timestamp',
  data_interval_end: 'timestamp',
  run_id: 'string',
  dag_id: 'string',
} as const satisfies Record<string, Shape>;

/** What the record that started a run says of itself. */
export const EVENT_META: Shape = {
  fields: { key: 'string', headers: { fields: {} }, topic: 'string', partition: 'int', offset: 'int', timestamp: 'timestamp' },
};

/** The values of `RUN_NAMES` in one run. Days are those of UTC, as in Airflow. */
export function runValues(dagId: string, runId: string, interval: DataInterval): Record<keyof typeof RUN_NAMES, Json> {
  const day = interval.start.slice(0, 10);
  return {
    ds: day,
    ds_nodash: day.replaceAll('-', ''),
    logical_date: interval.start,
    data_interval_start: interval.start,
    data_interval_end: interval.end,
    run_id: runId,
    dag_id: dagId,
  };
}
