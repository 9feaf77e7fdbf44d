import { day, onlyDay, text, time, type Value } from './jinja-values.ts';

const START = time('logical_date');
const END = time('data_interval_end');

/** Airflow names that exist in a Sluice run too. */
export const AIRFLOW_NAMES: Readonly<Record<string, Value>> = {
  ds: day('ds'),
  ds_nodash: text('ds_nodash'),
  ts: text('ts'),
  ts_nodash: text('date(logical_date, "yyyyMMdd\'T\'HHmmss")'),
  ts_nodash_with_tz: text('date(logical_date, "yyyyMMdd\'T\'HHmmss\'+0000\'", "UTC")'),
  prev_ds: day('prev_ds'),
  next_ds: day('next_ds'),
  yesterday_ds: day('addDays(ds, -1)'),
  tomorrow_ds: day('addDays(ds, 1)'),
  prev_ds_nodash: text('date(prev_ds, "yyyyMMdd")'),
  next_ds_nodash: text('date(next_ds, "yyyyMMdd")'),
  yesterday_ds_nodash: text('date(addDays(ds, -1), "yyyyMMdd")'),
  tomorrow_ds_nodash: text('date(addDays(ds, 1), "yyyyMMdd")'),
  logical_date: START,
  execution_date: START,
  data_interval_start: time('data_interval_start'),
  data_interval_end: END,
  next_execution_date: END,
  prev_execution_date: onlyDay('prev_ds'),
  run_id: text('run_id'),
  'dag_run.run_id': text('run_id'),
  'dag_run.dag_id': text('dag_id'),
  'dag.dag_id': text('dag_id'),
  'ti.dag_id': text('dag_id'),
  'task_instance.dag_id': text('dag_id'),
  'ti.run_id': text('run_id'),
  'task_instance.run_id': text('run_id'),
  'dag_run.logical_date': START,
  'dag_run.execution_date': START,
  'ti.execution_date': START,
  'task_instance.execution_date': START,
  'dag_run.data_interval_start': time('data_interval_start'),
  'dag_run.data_interval_end': END,
};
/** Names of the current task. */
export const TASK_NAMES: ReadonlySet<string> = new Set(['task.task_id', 'ti.task_id', 'task_instance.task_id']);
