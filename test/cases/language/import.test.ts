import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parse } from 'yaml';
import { importDags } from '../../../cli/import/import-dags.ts';
import { ImportError } from '../../../cli/import/source-value.ts';
import { runCase } from '../../../cli/test/run-case.ts';
import { compiler } from '../../support/compiler.ts';

interface Task {
  readonly name: string;
  readonly type: string;
  readonly missing?: string;
  readonly switch?: object;
}

/** The pipeline that an import makes of one DAG, which is without mistakes, with its warnings. */
function imported(dag: string): {
  tasks: Record<string, Task>;
  pipeline: Record<string, unknown>;
  warnings: string[];
  text: string;
  report: string[];
} {
  const [result] = importDags([{ file: 'dags.yml', text: dag }]);
  assert.ok(result && !(result instanceof ImportError), JSON.stringify(result));
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: result.yaml });
  assert.ok(plan, `${result.yaml}\n${JSON.stringify(diagnostics)}`);
  const pipeline = parse(result.yaml) as Record<string, unknown> & { tasks: Task[] };
  return {
    tasks: Object.fromEntries(pipeline.tasks.map((task) => [task.name, task])),
    pipeline,
    warnings: diagnostics.map(({ code }) => code),
    text: result.yaml,
    report: result.report.entries.map(
      ({ outcome, task, what, why = '' }) => `${outcome} ${task === undefined || task === what ? what : `${task}.${what}`} ${why}`,
    ),
  };
}

const dagOf = (task: string, more = '', others = ''): string => `
d:
  schedule: "@daily"
  start_date: 2024-01-01
  ${more}
  tasks:
    - {task_id: guard, ${task}}
    - {task_id: after, operator: EmptyOperator, dependencies: [guard]}
    ${others}
`;

/** What holds back what follows, or would do something else without one of its arguments, and cannot be converted whole. */
const GUARDS: readonly (readonly [string, missing: RegExp])[] = [
  ['operator: airflow.operators.python.BranchPythonOperator, python_callable_name: f', /switch: \{on: …, cases: \{one: \[after\]\}\}/],
  ['decorator: airflow.decorators.task.branch, python_callable: m.f', /switch/],
  ['operator: BranchSQLOperator, sql: SELECT 1, follow_task_ids_if_true: [after], follow_task_ids_if_false: []', /switch/],
  ['operator: airflow.operators.python.ShortCircuitOperator, python_callable_name: f', /when/],
  ['operator: airflow.sensors.filesystem.FileSensor, filepath: /x', /FileSensor/],
  ['operator: airflow.sensors.python.PythonSensor, python_callable: f', /Python/],
  ['operator: HttpSensor, endpoint: /x, response_check: "lambda r: r.ok"', /response_check/],
  ['operator: SqlSensor, sql: SELECT 1, success: "lambda x: x > 3"', /success/],
  ['operator: S3KeySensor, bucket_name: b, bucket_key: x, check_fn: f', /check_fn/],
  ['operator: ExternalTaskSensor, external_dag_id: o, execution_date_fn: f', /execution_date_fn/],
  ['operator: ExternalTaskSensor, external_dag_id: o, external_task_ids: [a, b]', /external_task_ids/],
  ['operator: ExternalTaskSensor, external_dag_id: o, execution_delta: soon', /execution_delta/],
  ['operator: ExternalTaskSensor, external_dag_id: o, allowed_states: [success, skipped]', /allowed_states/],
  ['operator: SQLValueCheckOperator, sql: SELECT 1, pass_value: 1, retries_on: 3', /retries_on/],
  ['operator: airflow.operators.python.PythonOperator, python_callable_name: f', /Python/],
  ['operator: SQLExecuteQueryOperator, sql: "DELETE FROM t WHERE d = %s", parameters: ["{{ ds }}"]', /parameters/],
  ['operator: PostgresOperator, sql: DELETE FROM t, database: other', /database/],
  ['operator: SQLExecuteQueryOperator, sql: DELETE FROM t, hook_params: {schema: other}', /hook_params/],
  ['operator: SqlToS3Operator, query: "SELECT * FROM t WHERE d = %s", s3_bucket: raw-data, parameters: [1]', /parameters/],
  ['operator: BashOperator, bash_command: rm -rf tmp, cwd: /data', /cwd/],
  ['operator: HttpOperator, endpoint: x, response_check: f', /response_check/],
  ['operator: SimpleHttpOperator, endpoint: x, data: "a=b"', /data is not JSON/],
  ['operator: SimpleHttpOperator, endpoint: "https://shop.example/x"', /endpoint is a whole address/],
  ['operator: S3KeySensor, bucket_key: "s3://raw-data/x/[ab]?.csv", wildcard_match: true', /other wildcards/],
  ['operator: my.plugins.BashOperator, bash_command: echo 1', /my\.plugins\.BashOperator is a class of yours/],
  ['operator: SQLExecuteQueryOperator, sql: "SELECT * FROM {{ params.Table }}"', /part of the SQL/],
  ['operator: HttpOperator, endpoint: x, pagination_function: f', /pagination_function/],
  ['operator: TriggerDagRunOperator, trigger_dag_id: o, logical_date: "{{ macros.ds_add(ds, -1) }}"', /logical_date/],
];

describe('an import', () => {
  for (const [guard, missing] of GUARDS) {
    it(`makes a task that fails of ${guard.split(',')[0]}, and nothing behind it runs`, async () => {
      const { tasks, warnings, text } = imported(dagOf(guard, 'params: {Table: Orders}'));
      assert.equal(tasks.guard?.type, 'unfinished');
      assert.match(tasks.guard.missing ?? '', missing);
      assert.deepEqual(warnings, ['SL314']);
      const { plan } = compiler.compile({ file: 'x.yaml', text });
      assert.ok(plan);
      const { mistakes } = await runCase(
        plan,
        {
          name: 'a run',
          expect: { state: 'failed', tasks: { guard: 'failed', after: 'upstream_failed' } },
        },
        {},
      );
      assert.deepEqual(mistakes, []);
    });
  }

  for (const [sql, why] of [
    ['DELETE FROM Daily_{{ ds_nodash }}', /./],
    ['SELECT daily_{{ ds_nodash }} FROM t', /./],
    ['DELETE FROM t WHERE id IN ({{ params.ids }})', /params\.ids.* without quotes: in Airflow it is part of the SQL/],
    ['SELECT * FROM t WHERE {{ params.ids }}', /part of the SQL/],
    ["SELECT * FROM t WHERE a = '{{ ti.start_date }}'", /ti\.start_date.*not available in a run/],
    ['SELECT {% if params.ids %}1{% endif %}', /not available in a run/],
  ] as const) {
    it(`says of ${sql} that it would mean something else`, () => {
      const { tasks, report } = imported(dagOf(`operator: SQLExecuteQueryOperator, sql: ${JSON.stringify(sql)}`, 'params: {ids: "1,2,3"}'));
      assert.equal(tasks.guard?.type, 'unfinished');
      assert.match(tasks.guard.missing ?? '', why);
      assert.deepEqual(
        report.filter((line) => line.startsWith('kept') && line.includes('guard')),
        [],
      );
    });
  }

  for (const [task, keys] of [
    [
      'operator: BashOperator, bash_command: "run {{ execution_date.strftime(\'%Y/%m\') }}"',
      { argv: ['run', '{{ date(logical_date, "yyyy/MM") }}'] },
    ],
    ['operator: BashOperator, bash_command: "run \'{{ macros.ds_add(ds, -7) }}\'"', { argv: ['run', '{{ addDays(ds, -7) }}'] }],
    [
      'operator: SQLExecuteQueryOperator, sql: "DELETE FROM daily_{{ ds_nodash }} WHERE d = \'{{ ds }}\'"',
      { sql: 'DELETE FROM {{ ident("daily_" + ds_nodash) }} WHERE d = \'{{ ds }}\'' },
    ],
    [
      'operator: SQLExecuteQueryOperator, sql: "INSERT INTO {{ params.s }}.copy_{{ ds_nodash }}_v2 SELECT 1", params: {s: shop}',
      { sql: 'INSERT INTO {{ ident("shop", "copy_" + ds_nodash + "_v2") }} SELECT 1' },
    ],
    [
      'operator: SQLExecuteQueryOperator, sql: "DELETE FROM {{ params.t }} WHERE d = \'{{ ds }}\'", params: {t: sales}',
      { sql: "DELETE FROM sales WHERE d = '{{ ds }}'" },
    ],
    [
      'operator: ExternalTaskSensor, external_dag_id: o, external_task_id: copy.load-it, execution_delta: {__type__: datetime.timedelta, days: 1, hours: 2}',
      { type: 'wait_for_pipeline', dag_id: 'o', task: 'copy.load_it', offset: '1d2h' },
    ],
    [
      'operator: ExternalTaskSensor, external_dag_id: o, external_task_ids: [load], execution_delta: {__type__: datetime.timedelta, hours: -1}',
      { type: 'wait_for_pipeline', dag_id: 'o', task: 'load', offset: '-1h' },
    ],
    ['operator: airflow.operators.latest_only.LatestOnlyOperator', { type: 'empty', latest_only: true }],
    ['operator: EmptyOperator, depends_on_past: true', { depends_on_past: true }],
    ['operator: EmptyOperator, wait_for_downstream: true', { depends_on_past: true }],
    ['operator: SQLExecuteQueryOperator, sql: VACUUM, autocommit: true', { sql: 'VACUUM', transaction: false }],
    [
      'operator: S3ToRedshiftOperator, s3_bucket: raw-data, s3_key: a, table: t, copy_options: [GZIP, truncatecolumns]',
      { copy_options: ['TRUNCATECOLUMNS'] },
    ],
    [
      'operator: airflow.operators.weekday.BranchDayOfWeekOperator, week_day: [Monday], follow_task_ids_if_true: after, follow_task_ids_if_false: other',
      { type: 'empty', switch: { on: 'dayOfWeek(ds) in [1]', cases: { true: ['after'], false: ['other'] } } },
    ],
    [
      'operator: airflow.sensors.time_delta.TimeDeltaSensor, delta: {__type__: datetime.timedelta, minutes: 90}',
      { type: 'wait_until', time: '{{ addMinutes(data_interval_end, 90) }}' },
    ],
    [
      'operator: BashOperator, bash_command: "run {{ execution_date.month }} {{ params.n + 1 }} {{ params.n > 2 }}"',
      { argv: ['run', '{{ date(logical_date, "M") }}', '{{ string(params.n + 1) }}', '{{ ((params.n > 2) ? "True" : "False") }}'] },
    ],
    ['operator: SimpleHttpOperator, endpoint: x, method: put', { type: 'http', method: 'PUT' }],
    ['operator: BashOperator, bash_command: tidy, trigger_rule: all_done_setup_success', { argv: ['tidy'], trigger_rule: 'all_done' }],
    [
      'operator: BashOperator, expand: {bash_command: ["echo 1", "echo 2"]}',
      { argv: ['echo', '{{ item }}'], expand: { over: ['1', '2'], as: 'item' } },
    ],
  ] as const) {
    it(`converts ${task}`, () => {
      const { tasks } = imported(dagOf(task, 'params: {n: 3}', '- {task_id: other, operator: EmptyOperator, dependencies: [guard]}'));
      assert.deepEqual({ ...tasks.guard, ...keys }, tasks.guard);
    });
  }

  it('keeps no depends_on_past where there is no schedule, and notes it', () => {
    const { pipeline, report } = imported(
      'd: {schedule: null, default_args: {depends_on_past: true}, tasks: [{task_id: a, operator: EmptyOperator, depends_on_past: true}]}',
    );
    assert.deepEqual([pipeline.default_args, pipeline.tasks], [undefined, [{ name: 'a', type: 'empty' }]]);
    const told = report.filter((line) => line.includes('depends_on_past'));
    assert.equal(told.length, 2);
    for (const line of told) assert.match(line, /^not_kept .*needs a schedule/);
  });

  it('leaves latest_only out where every run is started by hand', () => {
    const { pipeline } = imported('d: {schedule: null, tasks: [{task_id: a, operator: LatestOnlyOperator}]}');
    assert.deepEqual(pipeline.tasks, [{ name: 'a', type: 'empty' }]);
  });

  it('makes parameters of Variables and of dag_run.conf, and asks for the values that it cannot know', () => {
    const dag = `d: {schedule: null, tasks: [{task_id: a, operator: BashOperator, bash_command: "run {{ var.value.bucket }} {{ dag_run.conf['day'] }} {{ dag_run.conf.get('env', 'dev') }}"}]}`;
    const { pipeline, report } = imported(dag);
    assert.deepEqual(pipeline.params, { bucket: {}, day: { default: '' }, env: 'dev' });
    assert.ok(report.some((line) => line.startsWith("changed Variable bucket is the parameter 'bucket': write its value")));
  });

  for (const [schedule, ours] of [
    ['cron(0 3 * * ? *)', '0 3 * * *'],
    ['cron(15 10 ? * 2-6 *)', '15 10 * * 1-5'],
    ['rate(12 hours)', '12h'],
    ['@quarterly', '0 0 1 */3 *'],
    ['0 0 */2 * 1', '0 0 1-31/2 * 1'],
    ['0 0 1 * */2', '0 0 1 * 0-6/2'],
    ['0 0 */2 * *', '0 0 */2 * *'],
  ]) {
    it(`reads the schedule ${schedule}`, () => {
      const { pipeline } = imported(`d: {schedule: "${schedule}", start_date: 2024-01-01, tasks: [{task_id: a, operator: EmptyOperator}]}`);
      assert.equal(pipeline.schedule_interval, ours);
    });
  }

  it('runs nothing behind the placeholder of a short circuit, under any trigger rule', async () => {
    const others = '- {task_id: clean, operator: EmptyOperator, dependencies: [after], trigger_rule: all_done}';
    const { text, report } = imported(dagOf('operator: ShortCircuitOperator', '', others));
    const { plan } = compiler.compile({ file: 'x.yaml', text });
    assert.ok(plan);
    const { mistakes } = await runCase(plan, { name: 'x', expect: { state: 'failed', tasks: { clean: 'upstream_failed' } } }, {});
    assert.deepEqual(mistakes, []);
    assert.ok(report.some((line) => line.startsWith('not_kept clean.trigger_rule all_done is not kept: a short circuit')));
  });

  it('reads the literal lists of mapped tasks, and the formats of parameters, in serialized DAGs', () => {
    const task = {
      task_id: 'a',
      task_type: 'BashOperator',
      _task_module: 'airflow.operators.bash',
      _is_mapped: true,
      expand_input: { type: 'dict-of-lists', value: { __type: 'dict', __var: { bash_command: ['echo 1', 'echo 2'] } } },
    };
    const day = { __class: 'airflow.models.param.Param', default: '2024-01-01', schema: { type: 'string', format: 'date' } };
    const { tasks, pipeline } = imported(
      JSON.stringify({
        __version: 1,
        dag: { _dag_id: 'd', timetable: null, tasks: [{ __type: 'operator', __var: task }], params: { day } },
      }),
    );
    assert.deepEqual({ ...tasks.a, expand: { over: ['1', '2'], as: 'item' } }, tasks.a);
    assert.deepEqual(pipeline.params, { day: { type: 'string', format: 'date', default: '2024-01-01' } });
  });

  it('starts a run for the same interval, where Airflow is asked for one of the same date', () => {
    const [result] = importDags([
      {
        file: 'dags.yml',
        text: 'd: {schedule: null, tasks: [{task_id: a, operator: TriggerDagRunOperator, trigger_dag_id: o, execution_date: "{{ execution_date }}"}]}',
      },
    ]);
    assert.ok(result && !(result instanceof ImportError));
    assert.deepEqual((parse(result.yaml) as { tasks: Task[] }).tasks, [{ name: 'a', type: 'run_pipeline', wait: false, dag_id: 'o' }]);
    assert.ok(result.report.entries.some(({ outcome, why }) => outcome === 'changed' && why?.includes('data interval of this one')));
  });

  it('notes that days are those of the time zone, wherever the zone is written', () => {
    for (const zone of [
      'schedule: {__type__: airflow.timetables.trigger.CronTriggerTimetable, cron: "0 2 * * *", timezone: Europe/Berlin}',
      'schedule: "0 2 * * *", timezone: Europe/Berlin',
      'schedule: "0 2 * * *", default_args: {timezone: Europe/Berlin}',
    ]) {
      const { pipeline, report } = imported(`d: {${zone}, tasks: [{task_id: a, operator: EmptyOperator}]}`);
      assert.equal(pipeline.timezone, 'Europe/Berlin');
      assert.ok(
        report.some((line) => line.startsWith('changed timezone ds and other days are those of Europe/Berlin')),
        report.join('\n'),
      );
    }
  });

  it('reads the dag_id inside, and counts a length of time from start_date as Airflow does', () => {
    const { pipeline, report } = imported(
      'workflow: {dag_id: covid, schedule: {__type__: datetime.timedelta, days: 7}, start_date: 2024-01-01, tasks: [{task_id: a, operator: EmptyOperator}]}',
    );
    assert.deepEqual([pipeline.dag_id, pipeline.schedule_interval], ['covid', '7d']);
    assert.ok(report.includes('kept schedule '), report.join('\n'));
  });
});

describe('groups in groups', () => {
  it('can be nested here too, and are waited for as a whole', () => {
    const { text, report } = imported(`
nested:
  schedule: null
  task_groups:
    load: {dependencies: [start]}
    load checks: {parent_group_name: load, dependencies: [prepare]}
    deep: {parent_group_name: load checks}
  tasks:
    start: {operator: EmptyOperator}
    prepare: {operator: EmptyOperator, task_group_name: load}
    totals: {operator: EmptyOperator, task_group_name: load checks}
    days: {operator: EmptyOperator, task_group_name: deep}
    end: {operator: EmptyOperator, dependencies: [load]}
`);
    const { plan } = compiler.compile({ file: 'x.yaml', text });
    assert.deepEqual(
      plan?.tasks.map(({ name, dependsOn }) => `${name}<${dependsOn.join()}`).sort(),
      [
        'end<load.load_checks.totals,load.load_checks.deep.days',
        'load.load_checks.deep.days<load.prepare',
        'load.load_checks.totals<load.prepare',
        'load.prepare<start',
        'start<',
      ],
      text,
    );
    assert.ok(report.some((line) => line.startsWith("changed group load checks is called 'load.load_checks'")));
  });

  it('deeper than can be nested here are named together', () => {
    const names = Array.from({ length: 11 }, (_, index) => `g${index}`);
    const groups = names.map((name, index) => `    ${name}: {${index === 0 ? '' : `parent_group_name: g${index - 1}`}}`).join('\n');
    const tasks = names.map((name, index) => `    t${index}: {operator: EmptyOperator, task_group_name: ${name}}`).join('\n');
    const { tasks: written } = imported(`deep:\n  schedule: null\n  task_groups:\n${groups}\n  tasks:\n${tasks}\n`);
    assert.equal((written.t10 as { group?: string }).group, 'g0.g1.g2.g3.g4.g5.g6.g7_g8_g9_g10');
  });
});
