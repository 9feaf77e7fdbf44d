import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';
import {
  type Convert,
  numberOrText,
  percent,
  textMap,
  argv,
  copyOptions,
  connection,
  duration,
  jsonBody,
  map,
  number,
  objectKey,
  path,
  pipeline,
  prefix,
  signedDuration,
  statement,
  taskOfOther,
  text,
  texts,
  truth,
  wholeNumber,
} from './argument-converters.ts';
import { adaptName } from './names.ts';

/** What an operator of Airflow is here. */
export interface OperatorMapping {
  readonly type: string;
  /** By the operator's argument. What is not named is not kept. */
  readonly arguments: Readonly<Record<string, Convert>>;
  /** Arguments that change nothing here. */
  readonly ignored?: readonly string[];
  /** Keys without which the task could not do its work. */
  readonly needs?: readonly string[];
  /** Airflow's own defaults, where those of the task type differ. */
  readonly defaults?: JsonObject;
  /** Whether what follows runs only when it has found what it asks for: what it asks must be asked whole. */
  readonly guards?: boolean;
  /** What people must know of the task beside its arguments. */
  readonly note?: string;
  /** Puts the keys into their final form, for the task of this name. */
  readonly finish?: (keys: JsonObject, task: string) => JsonObject;
}

const SENSOR = { poke_interval: duration('poke_interval'), timeout: duration('timeout'), soft_fail: truth('soft_fail') } as const;
/** Waiting holds no worker slot here, so that how to wait need not be said. */
const SENSOR_IGNORED = ['mode', 'deferrable', 'exponential_backoff', 'max_wait', 'reschedule', 'silent_fail', 'verify', 'wildcard_match'];

const sql = (connectionKey: string, fallback: string): OperatorMapping => ({
  type: 'sql',
  arguments: {
    sql: statement('sql'),
    [connectionKey]: connection('conn_id'),
    autocommit: (value) => ({ keys: value === true ? { transaction: false } : {} }),
  },
  ignored: ['split_statements', 'return_last', 'show_return_value_in_logs', 'handler'],
  needs: ['sql'],
  ...(fallback !== 'postgres_default' && { defaults: { conn_id: fallback } }),
});

/** A `sql_check` of one check, which takes its name from the task. */
const sqlCheck = (own: Readonly<Record<string, Convert>>, comparators: readonly string[]): OperatorMapping => ({
  type: 'sql_check',
  guards: true,
  arguments: { conn_id: connection('conn_id'), sql: statement('sql'), ...own },
  needs: ['sql', ...comparators],
  finish: ({ sql, equals, min, max, tolerance, ...rest }, task) => {
    const range = min !== undefined && max !== undefined ? { between: [min, max] } : { min, max };
    const check: JsonObject = Object.fromEntries(
      Object.entries({ name: task, sql, equals, ...range, tolerance }).filter(([, value]) => value !== undefined),
    );
    return { ...rest, checks: [check] };
  },
});

const http = (method: string): OperatorMapping => ({
  type: 'http',
  arguments: {
    http_conn_id: connection('conn_id'),
    method: text('method'),
    endpoint: path,
    data: jsonBody,
    headers: textMap('headers'),
  },
  ignored: ['log_response'],
  needs: ['path'],
  defaults: { conn_id: 'http_default', method },
  // Airflow hands on the data of a GET as what follows the question mark.
  finish: ({ body, ...rest }) => {
    if (body === undefined) return rest;
    return rest.method === 'GET' && isMap(body) ? { ...rest, path: withQuery(String(rest.path), body) } : { ...rest, body };
  },
});

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** Names of tasks, as a `switch` names them. */
const tasks =
  (key: string): Convert =>
  (value) => ({ keys: { [key]: [value].flat().map((each) => adaptName(String(each), 'task')) } });

/** Expressions are left as they are: their values are encoded when a run has them. */
function withQuery(path: string, query: JsonObject): string {
  const encode = (text: string): string =>
    text
      .split(/(\{\{ (?:[^"}]|"(?:[^"\\]|\\.)*")+ \}\})/)
      .map((part, index) => (index % 2 ? part : encodeURIComponent(part)))
      .join('');
  const pairs = Object.entries(query).map(([key, value]) => `${encodeURIComponent(key)}=${encode(String(value))}`);
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

const EMPTY: OperatorMapping = { type: 'empty', arguments: {} };

/** What operators are here, by the name of their class. To add one: a line, and a line in the table of docs/06-coming-from-airflow.md. */
export const OPERATORS: Readonly<Record<string, OperatorMapping>> = {
  EmptyOperator: EMPTY,
  DummyOperator: EMPTY,
  LatestOnlyOperator: { ...EMPTY, defaults: { latest_only: true } },
  BashOperator: {
    type: 'command',
    arguments: { bash_command: argv, env: textMap('env') },
    ignored: ['append_env', 'output_encoding'],
    needs: ['argv'],
  },
  SQLExecuteQueryOperator: sql('conn_id', 'postgres_default'),
  PostgresOperator: sql('postgres_conn_id', 'postgres_default'),
  RedshiftSQLOperator: sql('redshift_conn_id', 'redshift_default'),
  SQLCheckOperator: sqlCheck(
    {
      sql: (value, dagName) => {
        const converted = statement('sql')(value, dagName);
        const why = 'Airflow wants any value but 0, false, empty and NULL; here it must be at least 1';
        return 'keys' in converted ? { keys: { ...converted.keys, min: 1 }, why } : converted;
      },
    },
    ['min'],
  ),
  SQLValueCheckOperator: sqlCheck({ pass_value: numberOrText('equals'), tolerance: percent('tolerance') }, ['equals']),
  SQLThresholdCheckOperator: sqlCheck({ min_threshold: number('min'), max_threshold: number('max') }, ['min', 'max']),
  SqlToS3Operator: {
    type: 'postgres_to_s3',
    arguments: {
      query: statement('query'),
      s3_bucket: text('s3_bucket'),
      s3_key: prefix,
      sql_conn_id: connection('postgres_conn_id'),
      aws_conn_id: connection('aws_conn_id'),
      file_format: (value) => {
        const format = { csv: 'csv', json: 'jsonl', parquet: 'parquet' }[String(value).toLowerCase()];
        return format === undefined ? { lost: 'is none of csv, json and parquet' } : { keys: { file_format: format } };
      },
    },
    ignored: ['replace'],
    needs: ['query', 's3_bucket'],
  },
  S3ToRedshiftOperator: {
    type: 's3_to_redshift',
    arguments: {
      s3_bucket: text('s3_bucket'),
      s3_key: prefix,
      schema: text('schema'),
      table: text('redshift_table'),
      column_list: texts('columns'),
      upsert_keys: texts('upsert_keys'),
      copy_options: copyOptions,
      method: (value) => ({ keys: { method: String(value).toLowerCase() } }),
      redshift_conn_id: connection('redshift_conn_id'),
      aws_conn_id: connection('aws_conn_id'),
    },
    ignored: ['autocommit', 'verify'],
    needs: ['s3_bucket', 'redshift_table'],
    defaults: { method: 'append' },
  },
  SparkSubmitOperator: {
    type: 'spark_job',
    arguments: {
      application: (value) => {
        if (typeof value !== 'string') return { lost: 'is no path' };
        if (/^[a-z][a-z0-9]*:\/\//.test(value)) return { keys: { application: value } };
        const file = value.replace(/^.*\//, '');
        return { keys: { application: file }, why: `jobs lie in jobs/: put ${file} there` };
      },
      application_args: texts('application_args'),
      java_class: text('java_class'),
      conf: map('conf'),
      packages: (value) => ({
        keys: {
          packages: String(value)
            .split(',')
            .map((each) => each.trim()),
        },
      }),
      deploy_mode: text('deploy_mode'),
      driver_memory: text('driver_memory'),
      executor_memory: text('executor_memory'),
      executor_cores: wholeNumber('executor_cores'),
      num_executors: wholeNumber('num_executors'),
      conn_id: connection('spark_conn_id'),
    },
    ignored: ['name', 'verbose'],
    needs: ['application'],
    note: 'a spark_job reads the data set of a task before it, and writes one: both come as arguments, --input and --output',
  },
  HttpOperator: http('POST'),
  SimpleHttpOperator: http('POST'),
  TriggerDagRunOperator: {
    type: 'run_pipeline',
    arguments: { trigger_dag_id: pipeline('dag_id'), conf: map('params'), wait_for_completion: truth('wait') },
    ignored: ['deferrable', 'poke_interval'],
    needs: ['dag_id'],
    defaults: { wait: false },
  },
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
  BranchDayOfWeekOperator: {
    type: 'empty',
    guards: true,
    arguments: {
      week_day: (value) => {
        const days = [value].flat().map((each) => WEEKDAYS.indexOf(String(each).trim().toLowerCase()) + 1);
        return days.includes(0) ? { lost: 'names days that are none' } : { keys: { when_day: days } };
      },
      follow_task_ids_if_true: tasks('if_true'),
      follow_task_ids_if_false: tasks('if_false'),
    },
    ignored: ['use_task_execution_day', 'use_task_logical_date'],
    needs: ['when_day', 'if_true', 'if_false'],
    note: 'the day is the one of the data interval',
    finish: ({ when_day: days, if_true: yes, if_false: no, ...rest }) => ({
      ...rest,
      switch: { on: `dayOfWeek(ds) in ${JSON.stringify(days)}`, cases: { true: yes ?? [], false: no ?? [] } },
    }),
  },
  TimeSensor: {
    type: 'wait_until',
    guards: true,
    arguments: { ...SENSOR, target_time: text('time') },
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
};

/** Other names of the same operators: of earlier versions, of other providers, deferred ones. */
export const OPERATOR_ALIASES: Readonly<Record<string, string>> = {
  CheckOperator: 'SQLCheckOperator',
  ValueCheckOperator: 'SQLValueCheckOperator',
  ThresholdCheckOperator: 'SQLThresholdCheckOperator',
  TimeSensorAsync: 'TimeSensor',
  DateTimeSensorAsync: 'DateTimeSensor',
  HttpSensorAsync: 'HttpSensor',
  ExternalTaskSensorAsync: 'ExternalTaskSensor',
  S3KeySensorAsync: 'S3KeySensor',
};

/** The mapping of an operator, by its class with or without its module. */
export function mappingOf(operator: string): OperatorMapping | undefined {
  const name = className(operator);
  const known = OPERATOR_ALIASES[name] ?? name;
  return Object.hasOwn(OPERATORS, known) ? OPERATORS[known] : undefined;
}

/** `airflow.operators.bash.BashOperator` → `BashOperator`. */
export function className(operator: string): string {
  return operator.replace(/^.*[.:]/, '');
}
