import {
  connection,
  duration,
  objectKey,
  path,
  pipeline,
  signedDuration,
  statement,
  taskOfOther,
  text,
  truth,
} from '../argument-converters.ts';
import { readDuration } from '../durations.ts';
import type { OperatorMappings } from './operator-mapping.ts';

const SENSOR = { poke_interval: duration('poke_interval'), timeout: duration('timeout'), soft_fail: truth('soft_fail') } as const;
/** Options for how to wait; waiting holds no worker slot in Sluice. */
const SENSOR_IGNORED = ['mode', 'deferrable', 'exponential_backoff', 'max_wait', 'reschedule', 'silent_fail', 'verify', 'wildcard_match'];

/** Operators that wait. */
export const SENSORS = {
  S3KeySensor: {
    type: 'wait_for_s3',
    guards: true,
    arguments: { ...SENSOR, bucket_name: text('bucket'), bucket_key: objectKey, aws_conn_id: connection('conn_id') },
    ignored: SENSOR_IGNORED,
    needs: ['bucket', 'key'],
  },
  ExternalTaskSensor: {
    type: 'wait_for_pipeline',
    guards: true,
    arguments: {
      ...SENSOR,
      external_dag_id: pipeline('dag_id'),
      external_task_id: taskOfOther('task'),
      external_task_ids: taskOfOther('task'),
      execution_delta: signedDuration('offset'),
      allowed_states: (value) =>
        Array.isArray(value) && value.length === 1 && (value[0] === 'success' || value[0] === 'failed')
          ? { keys: value[0] === 'failed' ? { state: 'failed' } : {} }
          : { lost: 'has other states than success or failed' },
      failed_states: () => ({ keys: {}, why: 'a run that failed is waited for until the time-out: it may be run again' }),
    },
    ignored: [...SENSOR_IGNORED, 'check_existence'],
    needs: ['dag_id'],
  },
  SqlSensor: {
    type: 'wait_for_sql',
    guards: true,
    arguments: { ...SENSOR, sql: statement('sql'), conn_id: connection('conn_id') },
    ignored: SENSOR_IGNORED,
    needs: ['sql'],
  },
  HttpSensor: {
    type: 'wait_for_http',
    guards: true,
    arguments: { ...SENSOR, http_conn_id: connection('conn_id'), endpoint: path },
    ignored: SENSOR_IGNORED,
    needs: ['path'],
    defaults: { conn_id: 'http_default' },
  },
  TimeSensor: {
    type: 'wait_until',
    guards: true,
    arguments: { ...SENSOR, target_time: text('time') },
    ignored: SENSOR_IGNORED,
    needs: ['time'],
  },
  TimeDeltaSensor: {
    type: 'wait_until',
    guards: true,
    arguments: {
      ...SENSOR,
      delta: (value) => {
        const ms = readDuration(value);
        if (ms === undefined || ms % 60_000 !== 0) return { lost: 'is not a duration in whole minutes' };
        return { keys: { time: `{{ addMinutes(data_interval_end, ${ms / 60_000}) }}` } };
      },
    },
    ignored: SENSOR_IGNORED,
    needs: ['time'],
  },
  DateTimeSensor: {
    type: 'wait_until',
    guards: true,
    arguments: { ...SENSOR, target_time: text('time') },
    ignored: SENSOR_IGNORED,
    needs: ['time'],
  },
} as const satisfies OperatorMappings;
