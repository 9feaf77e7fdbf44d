import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { parse } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import { OPERATORS } from '../../../cli/import/operators/catalog.ts';
import { ROOT } from '../../../lib/environment.ts';
import { importOne, importText } from './import-text.ts';

interface Case {
  readonly it: string;
  readonly given: string;
  readonly yaml: string;
  /** What is not kept as it was, as `outcome line:column name`. */
  readonly report: string[];
}

const CASES: Case[] = [
  {
    it: 'merges default into a DAG, and keeps the chain',
    given: `
default:
  default_args: {owner: data, retries: 2, retry_delay_sec: 90, start_date: 2024-01-01}
  schedule_interval: "@daily"
  catchup: no
  max_active_runs: 1
sales:
  description: Sales of a day
  tags: [sales]
  default_args: {owner: sales-team}
  dagrun_timeout_sec: 7200
  tasks:
    fetch:
      operator: airflow.operators.bash_operator.BashOperator
      bash_command: fetch --day {{ ds }}
    done:
      operator: airflow.operators.dummy_operator.DummyOperator
      dependencies: [fetch]
      trigger_rule: all_done
`,
    yaml: `dag_id: sales
description: Sales of a day
owner: sales-team
tags: [sales]
schedule_interval: "@daily"
start_date: 2024-01-01
catchup: false
max_active_runs: 1
dagrun_timeout: 2h
default_args:
  retries: 2
  retry_delay: 1m30s
  retry_exponential_backoff: false
tasks:
  - name: fetch
    type: command
    argv: [fetch, --day, "{{ ds }}"]
  - name: done
    type: empty
    depends_on: [fetch]
    trigger_rule: all_done
`,
    report: ['changed 7:1 default_args'],
  },
  {
    it: 'makes a task that fails of what it cannot say, with what it was',
    given: `
a:
  schedule: null
  tasks:
    - task_id: shell
      operator: BashOperator
      bash_command: "cat x | wc -l"
    - task_id: code
      operator: airflow.operators.python.PythonOperator
      python_callable: sample.run
      dependencies: [shell]
    - task_id: pod
      operator: KubernetesPodOperator
      image: python:3.12
      dependencies: [shell]
`,
    yaml: `dag_id: a
schedule_interval: null
tasks:
  # not kept: bash_command has a pipe, and Sluice runs programs without a shell: put it into a script, and call that. It was:
  #   operator: BashOperator
  #   bash_command: cat x | wc -l
  - name: shell
    type: unfinished
    missing: "bash_command has a pipe, and Sluice runs programs without a shell: put it into a script, and call that"

  # not kept: PythonOperator runs Python of yours: write a task type for it, or a program that a task of type command runs. It was:
  #   operator: airflow.operators.python.PythonOperator
  #   python_callable: sample.run
  - name: code
    type: unfinished
    depends_on: [shell]
    missing: "PythonOperator runs Python of yours: write a task type for it, or a program that a task of type command runs"

  # not kept: Sluice has nothing like KubernetesPodOperator: write a task type for it, or a program that a task of type command runs. It was:
  #   operator: KubernetesPodOperator
  #   image: python:3.12
  - name: pod
    type: unfinished
    depends_on: [shell]
    missing: "Sluice has nothing like KubernetesPodOperator: write a task type for it, or a program that a task of type command runs"
`,
    report: ['changed 2:1 catchup', 'not_kept 12:7 pod', 'not_kept 5:7 shell', 'not_kept 8:7 code'],
  },
  {
    it: 'lets tasks that wait for nothing start at once, as Airflow does',
    given: `
a: {schedule: null, catchup: false, tasks: [{task_id: x, operator: EmptyOperator}, {task_id: y, operator: EmptyOperator}]}
`,
    yaml: `dag_id: a
schedule_interval: null
catchup: false
execution: graph
tasks:
  - name: x
    type: empty
    depends_on: []
  - name: y
    type: empty
`,
    report: [],
  },
  {
    it: 'keeps groups in groups, and writes what they wait for at their first tasks',
    given: `
a:
  schedule: null
  catchup: false
  task_groups:
    - {group_name: outer, dependencies: [start]}
    - {group_name: inner, parent_group_name: outer}
    - {group_name: nobody}
  tasks:
    - {task_id: start, operator: EmptyOperator}
    - {task_id: first, operator: EmptyOperator, task_group_name: outer}
    - {task_id: second, operator: EmptyOperator, task_group_name: outer, dependencies: [first]}
    - {task_id: deep, operator: EmptyOperator, task_group_name: inner, dependencies: [outer.first]}
    - {task_id: alone, operator: EmptyOperator, task_group_name: inner}
    - {task_id: end, operator: EmptyOperator, dependencies: [outer]}
`,
    yaml: `# not kept: group nobody: has no tasks

dag_id: a
schedule_interval: null
catchup: false
tasks:
  - name: start
    type: empty
  - name: first
    type: empty
    group: outer
    depends_on: [start]
  - name: second
    type: empty
    group: outer
    depends_on: [first]
  - name: deep
    type: empty
    group: outer.inner
    depends_on: [outer.first]
  - name: alone
    type: empty
    group: outer.inner
    depends_on: [start]
  - name: end
    type: empty
    depends_on: [outer]
`,
    report: ['changed 6:8 group outer', 'not_kept 8:8 group nobody'],
  },
  {
    it: 'renames what our patterns refuse, and what refers to it',
    given: `
Daily-Load:
  schedule: null
  catchup: false
  params: {Region-Name: eu, limits: {a: 1}}
  tasks:
    - {task_id: a-b, operator: EmptyOperator}
    - {task_id: a_b, operator: EmptyOperator, dependencies: [a-b]}
    - task_id: again
      operator: TriggerDagRunOperator
      trigger_dag_id: Load-2
      conf: {region: "{{ params['Region-Name'] }}"}
      dependencies: [a_b]
Load-2: {schedule: null, params: {region: us}, tasks: {x: {operator: EmptyOperator}}}
`,
    yaml: `dag_id: daily_load
schedule_interval: null
catchup: false
params:
  region_name: eu
  limits:
    default:
      a: 1
default_args:
  retries: 0
tasks:
  - name: a_b_2
    type: empty
  - name: a_b
    type: empty
    depends_on: [a_b_2]
  - name: again
    type: run_pipeline
    depends_on: [a_b]
    wait: false
    dag_id: load_2
    params:
      region: "{{ params.region_name }}"
`,
    report: [
      'changed 2:1 dag_id',
      'changed 2:1 default_args',
      'changed 5:12 params.Region-Name',
      'changed 7:8 a-b',
      'changed 9:7 again.TriggerDagRunOperator',
    ],
  },
  {
    it: 'reports callbacks, relative dates, data sets and unknown keys',
    given: `
a:
  schedule: "@daily"
  catchup: true
  orientation: LR
  concurrency: 3
  surprise: 1
  on_failure_callback_name: tell
  on_failure_callback_file: /dags/tell.py
  default_args: {start_date: 2 days, depends_on_past: true, unknown: 1}
  tasks:
    - task_id: x
      operator: EmptyOperator
      outlets: [s3://lake/sales]
      inlets: {file: /dags/sets.yml, datasets: [raw]}
      priority_weight: 7
      dependencies: [ghost]
`,
    yaml: `# not kept: start_date: '2 days' is not a date; if it is relative to the current day, write the date
# not kept: orientation: is about Airflow's pages and templates
# not kept: concurrency: has no equivalent; limit concurrent tasks with a pool
# not kept: surprise: is not a key of a pipeline
# not kept: on_failure_callback_name: is Python; write tasks under on_failure, on_success or finally, or alerts
# not kept: default_args.unknown: is not a key of these tasks

dag_id: a
schedule_interval: "@daily"
catchup: true
default_args:
  depends_on_past: true
outlets: [s3://lake/sales]
tasks:
  # not kept: priority_weight is unbounded and grows with importance; set 'priority' from 1 (first) to 5 (last)
  #   priority_weight: 7
  - name: x
    type: empty
`,
    report: [
      'changed 14:7 x.outlets',
      'not_kept 10:18 start_date',
      'not_kept 10:61 default_args.unknown',
      'not_kept 15:7 x.inlets',
      'not_kept 16:7 x.priority_weight',
      'not_kept 17:22 x.dependency',
      'not_kept 5:3 orientation',
      'not_kept 6:3 concurrency',
      'not_kept 7:3 surprise',
      'not_kept 8:3 on_failure_callback_name',
    ],
  },
];

/** The tasks that operators become, as JSON, without what is the same for all. */
const MAPPED: [string, string, object][] = [
  [
    'sql',
    'SQLExecuteQueryOperator, sql: ["DELETE FROM a;", "DELETE FROM b"], conn_id: Wh-1',
    { sql: 'DELETE FROM a;\nDELETE FROM b', conn_id: 'wh_1' },
  ],
  ['sql', 'PostgresOperator, sql: "SELECT \'{{ ds }}\'", postgres_conn_id: pg', { sql: "SELECT '{{ ds }}'", conn_id: 'pg' }],
  [
    'sql_check',
    'SQLValueCheckOperator, sql: SELECT 1, pass_value: "10", tolerance: 0.1',
    { checks: [{ name: 't', sql: 'SELECT 1', equals: 10, tolerance: '10%' }] },
  ],
  [
    'sql_check',
    'SQLThresholdCheckOperator, sql: SELECT 1, min_threshold: 1, max_threshold: 9',
    { checks: [{ name: 't', sql: 'SELECT 1', between: [1, 9] }] },
  ],
  ['sql_check', 'SQLCheckOperator, sql: SELECT count(*) FROM a', { checks: [{ name: 't', sql: 'SELECT count(*) FROM a', min: 1 }] }],
  [
    'postgres_to_s3',
    'SqlToS3Operator, query: SELECT 1 AS x, s3_bucket: raw-data, s3_key: "sales/{{ ds }}", sql_conn_id: pg, file_format: json, replace: true',
    { query: 'SELECT 1 AS x', s3_bucket: 'raw-data', s3_key: 'sales/{{ ds }}', postgres_conn_id: 'pg', file_format: 'jsonl' },
  ],
  [
    's3_to_redshift',
    'S3ToRedshiftOperator, schema: dw, table: sales, s3_bucket: raw-data, s3_key: sales/, method: UPSERT, upsert_keys: [id]',
    { method: 'upsert', s3_bucket: 'raw-data', s3_key: 'sales/', schema: 'dw', redshift_table: 'sales', upsert_keys: ['id'] },
  ],
  [
    's3_to_redshift',
    'S3ToRedshiftOperator, table: sales, s3_bucket: raw-data, s3_key: sales/',
    { method: 'append', s3_bucket: 'raw-data', s3_key: 'sales/', redshift_table: 'sales' },
  ],
  [
    'spark_job',
    'SparkSubmitOperator, application: /opt/jobs/clean.py, application_args: [--day, "{{ ds }}", 1], packages: "a:b:1, c:d:2", executor_cores: "2", conf: {spark.x: y}',
    {
      application: 'clean.py',
      application_args: ['--day', '{{ ds }}', '1'],
      conf: { 'spark.x': 'y' },
      packages: ['a:b:1', 'c:d:2'],
      executor_cores: 2,
    },
  ],
  [
    'http',
    'HttpOperator, http_conn_id: api, endpoint: run, data: {a: 1}',
    { conn_id: 'api', method: 'POST', path: '/run', body: { a: 1 } },
  ],
  [
    'http',
    'HttpOperator, endpoint: run, extra_options: {timeout: 90, verify: false}',
    { conn_id: 'http_default', method: 'POST', path: '/run', timeout: '1m30s' },
  ],
  [
    'http',
    'SimpleHttpOperator, method: GET, endpoint: /x, data: {q: "a&b", d: "{{ ds }}"}',
    { conn_id: 'http_default', method: 'GET', path: '/x?q=a%26b&d={{ ds }}' },
  ],
  [
    'rabbitmq_publish',
    `rabbitmq_provider.operators.rabbitmq.RabbitMQOperator, exchange: "", routing_key: orders, message: '{"day": "{{ ds }}"}'`,
    { conn_id: 'rabbitmq_default', queue_name: 'orders', value: { day: '{{ ds }}' } },
  ],
  [
    'rabbitmq_publish',
    'airflow.provider.rabbitmq.operators.rabbitmq_producer.RabbitMQProducerOperator, conn_id: shop, exchange: "", routing_key: orders, message: {n: 1}',
    { conn_id: 'shop', queue_name: 'orders', value: { n: 1 } },
  ],
  [
    'rabbitmq_publish',
    'airflow_provider_rmq.operators.rmq_publish.RMQPublishOperator, queue_name: orders, message: {n: 1}, delivery_mode: 2',
    { conn_id: 'rmq_default', queue_name: 'orders', value: { n: 1 } },
  ],
  ['unfinished', 'RabbitMQOperator, exchange: shop, routing_key: orders, message: "{}"', {}],
  ['unfinished', 'RabbitMQOperator, exchange: "", routing_key: orders, message: hello', {}],
  ['unfinished', 'RMQPublishOperator, queue_name: orders, message: [{n: 1}, {n: 2}]', {}],
  ['unfinished', `RabbitMQOperator, exchange: "", routing_key: orders, message: '{"id": 12345678901234567890}'`, {}],
  ['unfinished', `HttpOperator, endpoint: run, data: '{"id": 12345678901234567890}'`, {}],
  ['run_pipeline', 'TriggerDagRunOperator, trigger_dag_id: Other-One, wait_for_completion: true', { wait: true, dag_id: 'other_one' }],
  [
    'wait_for_s3',
    'S3KeySensor, bucket_key: "s3://raw/x/{{ ds }}", poke_interval: 30, mode: reschedule',
    { poke_interval: '30s', bucket: 'raw', key: 'x/{{ ds }}' },
  ],
  [
    'wait_for_pipeline',
    'ExternalTaskSensor, external_dag_id: a, timeout: 600, soft_fail: true',
    { timeout: '10m', soft_fail: true, dag_id: 'a' },
  ],
  ['wait_for_sql', 'SqlSensor, conn_id: pg, sql: SELECT 1', { sql: 'SELECT 1', conn_id: 'pg' }],
  ['wait_for_http', 'HttpSensor, endpoint: health', { conn_id: 'http_default', path: '/health' }],
  ['wait_until', 'TimeSensor, target_time: "06:00"', { time: '06:00' }],
  ['command', 'BashOperator, bash_command: run, env: {N: 1}', { argv: ['run'], env: { N: '1' } }],
  ['unfinished', 'BashOperator, bash_command: scripts/run.sh', {}],
  ['unfinished', 'BashOperator, bash_command: "run $HOME"', {}],
  ['unfinished', 'BashOperator, bash_command: "run {{ task.owner }}"', {}],
  ['unfinished', 'SQLExecuteQueryOperator, sql: queries/load.sql', {}],
  ['unfinished', 'SQLExecuteQueryOperator, sql: "SELECT %(x)s"', {}],
  ['unfinished', 'SQLThresholdCheckOperator, sql: SELECT 1, min_threshold: SELECT 2, max_threshold: 9', {}],
  ['unfinished', 'TriggerDagRunOperator, trigger_dag_id: "{{ params.x }}"', {}],
  ['unfinished', 'HttpOperator, endpoint: [a], expand: {endpoint: [a, b], method: [GET]}', {}],
  [
    'http',
    'HttpOperator, endpoint: [a], expand: {endpoint: [a, b]}',
    { conn_id: 'http_default', method: 'POST', path: '{{ item }}', expand: { over: ['/a', '/b'], as: 'item' } },
  ],
  [
    'command',
    'BashOperator, expand: {bash_command: ["echo 1", "echo 2"]}',
    { argv: ['echo', '{{ item }}'], expand: { over: ['1', '2'], as: 'item' } },
  ],
  ['unfinished', 'BashOperator, expand: {bash_command: ["echo 1", "ls 1"]}', {}],
  ['unfinished', 'constructor', {}],
];

describe('import of dag-factory', () => {
  for (const { it: name, given, yaml, report } of CASES) {
    it(name, () => assert.deepEqual(importOne(given), { yaml, report }));
  }

  for (const [type, given, keys] of MAPPED) {
    it(`${given} → ${type}`, () => {
      const { yaml } = importOne(`
a: {schedule: null, tasks: {data: {operator: SqlToS3Operator, query: SELECT 1 AS x, s3_bucket: raw-data}, t: {operator: ${given}, dependencies: [data]}}}
Other-One: {schedule: null, tasks: {x: {operator: EmptyOperator}}}`);
      const pipeline = parse(yaml) as { tasks: Record<string, unknown>[] };
      const { missing, ...task } = pipeline.tasks[1] ?? {};
      assert.equal(typeof missing, type === 'unfinished' ? 'string' : 'undefined');
      assert.deepEqual(task, { name: 't', type, depends_on: ['data'], ...keys });
    });
  }

  it('has every operator in the documentation, and a task type for each', () => {
    const page = readFileSync(join(ROOT, 'docs', '06-coming-from-airflow.md'), 'utf8');
    const types = new Set(CATALOG.map(({ type }) => type));
    const wrong = Object.entries(OPERATORS).filter(([name, { type }]) => !page.includes(name) || !types.has(type));
    assert.deepEqual(wrong, []);
  });

  it('takes aliases and merges of YAML', () => {
    const [one, two] = importText(`
one: &one {schedule: "@daily", tasks: &tasks {x: {operator: EmptyOperator}}}
two: {<<: *one, schedule: "@weekly"}
`);
    assert.match(one?.yaml ?? '', /schedule_interval: "@daily"/);
    assert.match(two?.yaml ?? '', /schedule_interval: "@weekly"[^]*name: x/);
  });

  it('keeps what is hostile to YAML inside of comments', () => {
    const { yaml } = importOne('a: {schedule: null, tasks: {x: {operator: "Evil\\rtasks: []\\u2028y\\n# z", note: "a\\nb: c"}}}');
    assert.deepEqual(parse(yaml), {
      dag_id: 'a',
      schedule_interval: null,
      tasks: [{ name: 'x', type: 'unfinished', missing: (parse(yaml) as { tasks: { missing: string }[] }).tasks[0]?.missing }],
    });
  });
});
