import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { importDags } from '../../../cli/import/import-dags.ts';
import { ImportError } from '../../../cli/import/source-value.ts';
import { importOne, importText } from './import-text.ts';

const WRAPPED = (fields: object): object => ({ __type: 'operator', __var: fields });
const PARAM = {
  __class: 'airflow.sdk.definitions.param.Param',
  default: 'eu',
  description: 'Where',
  schema: { __type: 'dict', __var: { enum: ['eu', 'us'] } },
};

/** A DAG as Airflow 3 serializes it. */
const VERSION_3 = {
  __version: 3,
  client_defaults: { tasks: { retry_delay: 180 } },
  dag: {
    dag_id: 'sales',
    description: 'Sales of a day',
    fileloc: '/dags/sales.py',
    timezone: 'Europe/Berlin',
    start_date: 1_704_085_200,
    timetable: {
      __type: 'airflow.timetables.interval.CronDataIntervalTimetable',
      __var: { expression: '0 6 * * *', timezone: 'Europe/Berlin' },
    },
    default_args: { __type: 'dict', __var: { owner: 'data', retries: 2 } },
    dagrun_timeout: 7200,
    tags: ['sales'],
    params: [['region', PARAM]],
    task_group: {
      _group_id: null,
      children: {
        start: ['operator', 'start'],
        load: [
          'taskgroup',
          {
            _group_id: 'load',
            children: {
              'load.fetch': ['operator', 'load.fetch'],
              'load.deep': ['taskgroup', { _group_id: 'deep', children: { 'load.deep.merge': ['operator', 'load.deep.merge'] } }],
            },
          },
        ],
      },
    },
    tasks: [
      WRAPPED({
        task_id: 'start',
        task_type: 'EmptyOperator',
        _task_module: 'airflow.providers.standard.operators.empty',
        owner: 'data',
        retries: 2,
        downstream_task_ids: ['load.fetch'],
        params: [['region', PARAM]],
      }),
      WRAPPED({
        task_id: 'load.fetch',
        task_type: 'BashOperator',
        owner: 'data',
        retries: 2,
        bash_command: 'fetch {{ ds }} {{ params.region }}',
        env: null,
        downstream_task_ids: ['load.deep.merge'],
        outlets: [{ __type: 'asset', __var: { uri: 's3://lake/sales', name: 'sales' } }],
      }),
      WRAPPED({
        task_id: 'load.deep.merge',
        task_type: 'SQLExecuteQueryOperator',
        owner: 'data',
        sql: 'MERGE',
        hook_params: {},
        pool: 'wh',
        downstream_task_ids: [],
      }),
    ],
  },
};

const YAML = `dag_id: sales
description: Sales of a day
owner: data
tags: [sales]
schedule_interval: 0 6 * * *
start_date: 2024-01-01T05:00:00Z
timezone: Europe/Berlin
catchup: false
dagrun_timeout: 2h
params:
  region:
    description: Where
    enum: [eu, us]
    default: eu
default_args:
  retries: 2
  retry_delay: 3m
  retry_exponential_backoff: false
outlets: [s3://lake/sales]
tasks:
  - name: start
    type: empty
  - name: fetch
    type: command
    group: load
    depends_on: [start]
    argv: [fetch, "{{ ds }}", "{{ params.region }}"]
  - name: merge
    type: sql
    group: load.deep
    depends_on: [load.fetch]
    sql: MERGE
    retries: 0
    pool: wh
`;

/** The same DAG as Airflow 2 serializes it. */
const VERSION_1 = {
  __version: 1,
  dag: {
    _dag_id: 'sales',
    _description: 'Sales of a day',
    fileloc: '/dags/sales.py',
    catchup: false,
    schedule_interval: { __type: 'timedelta', __var: 3600 },
    _task_group: { _group_id: null, children: { x: ['operator', 'x'] } },
    has_on_failure_callback: true,
    max_active_runs: 16,
    params: { n: { __class: 'airflow.models.param.Param', default: 5, description: null, schema: {} } },
    tasks: [
      {
        task_id: 'x',
        _task_type: 'DummyOperator',
        _task_module: 'airflow.operators.dummy',
        owner: 'airflow',
        pool: 'default_pool',
        downstream_task_ids: [],
      },
    ],
  },
};

const task = (id: string, name: string, downstream: string[], more: object = {}): object => ({
  task_id: id,
  class_ref: { module_path: 'airflow.x', class_name: name },
  operator_name: name,
  owner: 'airflow',
  start_date: '2024-01-01T00:00:00+00:00',
  end_date: null,
  trigger_rule: 'all_success',
  depends_on_past: false,
  wait_for_downstream: false,
  retries: 1,
  queue: 'default',
  pool: 'default_pool',
  pool_slots: 1,
  execution_timeout: null,
  retry_delay: { __type: 'TimeDelta', days: 0, seconds: 300, microseconds: 0 },
  retry_exponential_backoff: false,
  priority_weight: 1,
  weight_rule: 'downstream',
  ui_color: '#fff',
  template_fields: [],
  downstream_task_ids: downstream,
  params: {},
  is_mapped: false,
  doc_md: null,
  ...more,
});
const TASKS = {
  tasks: [
    task('start', 'EmptyOperator', ['g.shell', 'g.each']),
    task('g.shell', 'BashOperator', [], {
      execution_timeout: { __type: 'TimeDelta', days: 0, seconds: 600, microseconds: 0 },
      queue: 'gpu',
    }),
    task('g.each', 'EmptyOperator', [], { is_mapped: true }),
  ],
  total_entries: 3,
};
const AIRFLOW_2 = {
  dag_id: 'nightly',
  fileloc: '/dags/n.py',
  is_paused: false,
  owners: ['airflow'],
  description: null,
  schedule_interval: { __type: 'CronExpression', value: '@daily' },
  timezone: "Timezone('UTC')",
  catchup: true,
  start_date: '2024-01-01T00:00:00+00:00',
  tags: [{ name: 'a' }],
  max_active_runs: 16,
  max_active_tasks: 16,
  dag_run_timeout: null,
  params: {},
};
const AIRFLOW_3 = { ...AIRFLOW_2, schedule_interval: undefined, timetable_summary: '@daily', timezone: 'UTC', bundle_name: 'dags' };
const REST_YAML = `dag_id: nightly
tags: [a]
schedule_interval: "@daily"
start_date: 2024-01-01
catchup: true
default_args:
  retries: 1
  retry_delay: 5m
tasks:
  - name: start
    type: empty

  # not kept: the file has no value for argv. It was:
  #   operator: airflow.x.BashOperator
  - name: shell
    type: unfinished
    group: g
    depends_on: [start]
    missing: the file has no value for argv
    execution_timeout: 10m
    queue: gpu

  # not kept: it is mapped over a list: rewrite it with expand. It was:
  #   operator: airflow.x.EmptyOperator
  #   expand: true
  - name: each
    type: unfinished
    group: g
    depends_on: [start]
    missing: "it is mapped over a list: rewrite it with expand"
`;

describe('import of Airflow exports', () => {
  it('reads a serialized DAG of Airflow 3, groups and all', () => {
    const { yaml, report } = importOne(JSON.stringify(VERSION_3, null, 1), 'sales.json');
    assert.equal(yaml, YAML);
    assert.deepEqual(report.map((line) => line.replace(/ \d+:\d+/, '')).sort(), [
      'changed default_args',
      'changed load.fetch.bash_command',
      'changed load.fetch.outlets',
      'changed timezone',
    ]);
  });

  it('reads a serialized DAG of Airflow 2', () => {
    const { yaml, report } = importOne(JSON.stringify(VERSION_1), 'sales.json');
    assert.equal(
      yaml,
      `# not kept: on_failure_callback: is Python; write tasks under on_failure, on_success or finally, or alerts

dag_id: sales
description: Sales of a day
schedule_interval: 1h
catchup: false
params:
  n: 5
tasks:
  - name: x
    type: empty
`,
    );
    assert.deepEqual(
      report.map((line) => line.replace(/ \d+:\d+/, '')),
      ['changed schedule', 'not_kept on_failure_callback'],
    );
  });

  it('reads rows of the table, and lists of them', () => {
    const rows = [{ dag_id: 'sales', data: VERSION_1 }, { data: { ...VERSION_3, dag: { ...VERSION_3.dag, dag_id: 'other' } } }];
    assert.deepEqual(
      importText(JSON.stringify(rows)).map(({ dagId }) => dagId),
      ['sales', 'other'],
    );
  });

  for (const [version, details] of Object.entries({ AIRFLOW_2, AIRFLOW_3 })) {
    it(`reads the REST API's answers, in two files or one: ${version}`, () => {
      const two = importDags([
        { file: 'details.json', text: JSON.stringify(details) },
        { file: 'tasks.json', text: JSON.stringify(TASKS) },
      ]);
      const one = importDags([{ file: 'details.json', text: JSON.stringify({ ...details, ...TASKS }) }]);
      for (const results of [two, one]) {
        const [result, ...rest] = results;
        assert.ok(result && !(result instanceof ImportError) && rest.length === 0);
        assert.equal(result.yaml.replace(/^# Imported from .*\n\n?/, ''), REST_YAML);
      }
    });
  }
});
