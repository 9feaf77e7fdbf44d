import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { compiler } from '../support/compiler.ts';

/** Lines of a file after `dag_id: x`, and what must be said: `code line:column …`. One mistake is one error. */
const CASES: Readonly<Record<string, readonly (readonly [title: string, lines: readonly string[], expected: string])[]>> = {
  groups: [
    ['unknown group', ['tasks:', '  - {name: a, type: empty}', '  - {name: b, type: empty, depends_on: [g]}'], 'SL302 4:41'],
    [
      'a group and a task of one name',
      ['tasks: [{name: g, type: empty}]', 'task_groups: [{name: g, tasks: [{name: a, type: empty}]}]'],
      'SL301 3:22',
    ],
    [
      'a group that waits for itself',
      ['tasks: [{name: a, type: empty}]', 'task_groups: [{name: g, depends_on: [g], tasks: [{name: a, type: empty}]}]'],
      'SL303 3:25',
    ],
    [
      'an unknown key of a group',
      ['tasks: [{name: a, type: empty}]', 'task_groups: [{name: g, needs: [a], tasks: [{name: a, type: empty}]}]'],
      'SL201 3:25',
    ],
    [
      'a mistake in a task of a group',
      ['tasks: [{name: a, type: empty}]', 'task_groups:', '  - name: g', '    tasks:', '      - {name: a, type: emtpy}'],
      'SL207 6:25',
    ],
  ],
  switch: [
    [
      'in a listed order',
      ['tasks:', '  - {name: s, type: empty, switch: {on: "1", cases: {x: [a]}}}', '  - {name: a, type: empty}'],
      'SL310 3:28',
    ],
    [
      'to an unknown task',
      ['tasks:', '  - {name: s, type: empty, depends_on: [], switch: {on: "1", cases: {x: [b]}}}', '  - {name: a, type: empty}'],
      'SL302 3:74',
    ],
    ['without cases', ['tasks:', '  - {name: s, type: empty, depends_on: [], switch: {on: "1"}}'], 'SL202 3:53'],
    [
      'a join that is always skipped',
      [
        'tasks:',
        '  - {name: s, type: empty, depends_on: [], switch: {on: "1", cases: {x: [a], y: [b]}}}',
        '  - {name: a, type: empty}',
        '  - {name: b, type: empty}',
        '  - {name: j, type: empty, depends_on: [a, b]}',
        '  - {name: k, type: empty, depends_on: [j]}',
      ],
      'SL308 6:12',
    ],
  ],
  expressions: [
    ['good ones', ['params: {n: 1}', 'tasks:', '  - {name: a, type: empty, when: params.n > 0 && ds != ""}'], ''],
    ['unknown name', ['tasks:', '  - {name: a, type: empty, when: dss == "x"}'], 'SL502 3:34'],
    ['single =', ['tasks:', '  - {name: a, type: empty, when: ds = "x"}'], 'SL501 3:37'],
    ['and', ['tasks:', '  - {name: a, type: empty, when: ds == "x" and true}'], 'SL501 3:44'],
    ['braces around what needs none', ['tasks:', '  - {name: a, type: empty, when: "{{ true }}"}'], 'SL508 3:34'],
    ['not a condition', ['tasks:', '  - {name: a, type: empty, when: ds}'], 'SL503 3:34'],
    ['types that do not fit', ['params: {n: 1}', 'tasks:', '  - {name: a, type: empty, when: params.n == "1"}'], 'SL503 4:34'],
    ['an unknown parameter', ['params: {region: eu}', 'tasks:', '  - {name: a, type: empty, when: params.regoin == "eu"}'], 'SL505 4:34'],
    ['an unknown function', ['tasks:', '  - {name: a, type: empty, when: ds.startWith("x")}'], 'SL507 3:34'],
    ['a regular expression', ['tasks:', '  - {name: a, type: empty, when: ds.matches("(a+)+")}'], 'SL507 3:34'],
    ['an item without expand', ['tasks:', '  - {name: a, type: http, path: "/{{ item }}"}'], 'SL502 3:38'],
    ['an event without triggers', ['tasks:', '  - {name: a, type: empty, when: event.x > 1}'], 'SL502 3:34'],
    ['a task that comes later', ['tasks:', '  - {name: a, type: empty, when: outputs.b == 1}', '  - {name: b, type: empty}'], 'SL504 3:34'],
    [
      'a task beside',
      ['tasks:', '  - {name: a, type: http, path: /a}', '  - {name: b, type: empty, depends_on: [], when: outputs.a.status == 200}'],
      'SL504 4:50',
    ],
    [
      'an unknown task',
      ['tasks:', '  - {name: extract, type: empty}', '  - {name: b, type: empty, when: outputs.extrat == 1}'],
      'SL504 4:34',
    ],
    [
      'an output that the task does not have',
      [
        'tasks:',
        '  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data}',
        '  - {name: b, type: empty, when: outputs.a.row > 1}',
      ],
      'SL506 4:34',
    ],
    ['a secret', ['tasks:', '  - {name: a, type: http, path: "/{{ conn.postgres_default.password }}"}'], 'SL509 3:38'],
    [
      'a header that Sluice sets',
      ['tasks:', '  - {name: a, type: kafka_publish, topic: t, value: 1, headers: {Idempotency-Key: x}}'],
      'SL208 3:66',
    ],
    ['a text that is not closed', ['tasks:', '  - {name: a, type: http, path: "/{{ ds"}'], 'SL501 3:35'],
    ['where none can be', ['tasks:', '  - {name: a, type: spark_job, job_name: "{{ ds }}"}'], 'SL401 3:12 SL508 3:42'],
    ['in a key of every task', ['tasks:', '  - {name: a, type: empty, retries: "{{ params.n }}"}'], 'SL508 3:37'],
    [
      'of the wrong type for its key',
      ['tasks:', '  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, max_rows_per_file: "{{ ds }}"}'],
      'SL503 3:98',
    ],
    [
      'SQL that is an expression',
      ['params: {q: SELECT 1}', 'tasks:', '  - {name: a, type: postgres_to_s3, query: "{{ params.q }}", s3_bucket: raw-data}'],
      'SL510 4:44',
    ],
    [
      'in a comment of SQL',
      ['tasks:', '  - {name: a, type: postgres_to_s3, query: "SELECT 1 -- {{ ds }}", s3_bucket: raw-data}'],
      'SL510 3:59',
    ],
    [
      'in text with escapes of SQL',
      ['tasks:', `  - {name: a, type: postgres_to_s3, query: "SELECT E'{{ ds }}'", s3_bucket: raw-data}`],
      'SL510 3:56',
    ],
    ['in quotes of SQL', ['tasks:', `  - {name: a, type: postgres_to_s3, query: "SELECT '{{ ds }}', {{ ds }}", s3_bucket: raw-data}`], ''],
    ['unquoted braces', ['params: {n: 1}', 'tasks:', '  - name: a', '    type: http', '    path: {{ params.n }}'], 'SL106 6:11'],
    ['unquoted braces with text behind', ['tasks:', '  - name: a', '    type: http', '    path: {{ ds }}/x'], 'SL106 5:11'],
    ['over something that is no list', ['tasks:', '  - {name: a, type: empty, expand: {over: ds}}'], 'SL503 3:43'],
    ['an item with a taken name', ['tasks:', '  - {name: a, type: http, path: /x, expand: {over: [1], as: params}}'], 'SL305 3:61'],
    ['three loops in each other', ['tasks:', '  - {name: a, type: empty, when: "[1].all(x, [1].all(y, [1].all(z, true)))"}'], 'SL507 3:35'],
  ],
  params: [
    [
      'a default that does not fit',
      ['params: {n: {type: integer, minimum: 1, default: 0}}', 'tasks: [{name: a, type: empty}]'],
      'SL503 2:50',
    ],
    ['an unknown keyword', ['params: {n: {type: integer, min: 1}}', 'tasks: [{name: a, type: empty}]'], 'SL201 2:29'],
    ['an unknown type', ['params: {n: {type: int}}', 'tasks: [{name: a, type: empty}]'], 'SL204 2:20'],
    [
      'no default where the clock starts it',
      ['schedule_interval: "@daily"', 'params: {n: {type: integer}}', 'tasks: [{name: a, type: empty}]'],
      'SL202 3:10',
    ],
    ['a bad name', ['params: {N: 1}', 'tasks: [{name: a, type: empty}]'], 'SL205 2:10'],
    [
      'a fraction too long to keep',
      ['params: {n: {type: number, default: 0.12345678901234567891}}', 'tasks: [{name: a, type: empty}]'],
      'SL210 2:37',
    ],
    ['a number too large for JavaScript', ['tasks: [{name: a, type: http, path: /, method: POST, body: {n: [1e400]}}]'], 'SL210 2:65'],
    ['a whole number too large to keep', ['params: {n: 9007199254740993}', 'tasks: [{name: a, type: empty}]'], 'SL210 2:13'],
  ],
  'retry policy and more': [
    ['an unknown failure', ['tasks:', '  - {name: a, type: empty, retry_policy: [{on: QueryFaild, action: fail}]}'], 'SL204 3:48'],
    ['an unknown action', ['tasks:', '  - {name: a, type: empty, retry_policy: [{on: QueryFailed, action: stop}]}'], 'SL204 3:69'],
    [
      'inputs of a task that makes nothing',
      ['tasks:', '  - {name: a, type: empty}', '  - {name: b, type: s3_to_redshift, s3_bucket: raw-data, redshift_table: t, inputs: a}'],
      'SL401 4:85',
    ],
    ['a wait that gates nothing', ['tasks:', '  - {name: a, type: wait_until, time: "06:00"}'], 'SL309 3:12'],
    ['depends_on of another list', ['tasks: [{name: a, type: empty}]', 'finally: [{name: b, type: empty, depends_on: [a]}]'], 'SL302 3:47'],
    ['names of all lists together', ['tasks: [{name: a, type: empty}]', 'finally: [{name: a, type: empty}]'], 'SL301 3:18'],
    ['both schedules', ['schedule_interval: "@daily"', 'schedule: {cron: 0 6 * * *}', 'tasks: [{name: a, type: empty}]'], 'SL208 3:1'],
    ['runIf', ['tasks:', '  - {name: a, type: empty, runIf: "true"}'], 'SL201 3:28'],
    ['task_id', ['tasks:', '  - {task_id: a, type: empty}'], 'SL201 3:6'],
    [
      'needs and dependencies',
      ['tasks:', '  - {name: a, type: empty, needs: []}', '  - {name: b, type: empty, dependencies: []}'],
      'SL201 3:28 SL201 4:28',
    ],
  ],
  'triggers and promises': [
    ['a promise of nothing', ['sla: [{name: s}]', 'tasks: [{name: a, type: empty}]'], 'SL208 2:7'],
    [
      'a promise of several things',
      ['schedule_interval: "@daily"', 'sla: [{name: s, within: 2h, by: "06:00"}]', 'tasks: [{name: a, type: empty}]'],
      'SL208 3:7',
    ],
    ['two promises of one name', ['sla: [{name: s, within: 2h}, {name: s, within: 3h}]', 'tasks: [{name: a, type: empty}]'], 'SL301 2:37'],
    ['a time of day without a schedule', ['sla: [{name: s, by: "06:00"}]', 'tasks: [{name: a, type: empty}]'], 'SL208 2:17'],
    [
      'an interval without a schedule',
      ['sla: [{name: s, within: 2h, reference: data_interval_end}]', 'tasks: [{name: a, type: empty}]'],
      'SL208 2:29',
    ],
    [
      'a reference of nothing, a warning before a condition',
      ['sla: [{name: s, assert: "true", reference: started_at, warn_at: 80%}]', 'tasks: [{name: a, type: empty}]'],
      'SL208 2:33 SL208 2:56',
    ],
    [
      'what a task cannot promise',
      ['tasks: [{name: a, type: empty, sla: [{name: s, within: 2h, reference: previous_success}]}]'],
      'SL208 2:60',
    ],
    [
      'what cannot be promised of a data set',
      [
        'outlets: ["s3://w/sales"]',
        'sla:',
        '  - {name: s, dataset: "s3://w/sales", assert: "true"}',
        '  - {name: t, dataset: "s3://w/sales", within: 2h, reference: started_at}',
        '  - {name: u, dataset: "s3://w/sales", by: "06:00"}',
        'tasks: [{name: a, type: empty, sla: [{name: s, dataset: "s3://w/sales", within: 2h}]}]',
      ],
      'SL208 4:15 SL208 5:52 SL208 6:40 SL208 7:48',
    ],
    [
      'a data set that no pipeline makes',
      ['sla: [{name: s, dataset: "s3://w/sales", within: 2h}]', 'tasks: [{name: a, type: empty}]'],
      'SL405 2:26',
    ],
    [
      'a calendar of a condition, and one that the schedule does not have',
      [
        'schedule_interval: "@daily"',
        'sla:',
        '  - {name: s, assert: "true", calendar: {business_days: true}}',
        '  - {name: t, within: 2h, calendar: schedule}',
        'tasks: [{name: a, type: empty}]',
      ],
      'SL208 4:31 SL208 5:27',
    ],
    [
      'a calendar that is none',
      [
        'sla:',
        '  - {name: s, within: 2h, calendar: business}',
        '  - {name: t, within: 2h, calendar: {exclude: [christmas], busines_days: true}}',
        'tasks: [{name: a, type: empty}]',
      ],
      'SL203 3:37 SL205 4:48 SL201 4:60',
    ],
    ['an unknown kind', ['triggers: [{name: t, type: kafak, topic: x}]', 'tasks: [{name: a, type: empty}]'], 'SL207 2:28'],
    ['a key that is missing', ['triggers: [{name: t, type: kafka}]', 'tasks: [{name: a, type: empty}]'], 'SL202 2:19'],
    [
      'a parameter that is not declared',
      ['triggers: [{name: t, type: kafka, topic: x, params: {n: "{{ event.n }}"}}]', 'tasks: [{name: a, type: empty}]'],
      'SL505 2:54',
    ],
    [
      'two of one name',
      ['triggers: [{name: t, type: kafka, topic: x}, {name: t, type: kafka, topic: y}]', 'tasks: [{name: a, type: empty}]'],
      'SL301 2:53',
    ],
    [
      'a window: what is no aggregate, a condition over what it does not count, a slide that leaves events out',
      [
        'triggers:',
        '  - name: t',
        '    type: kafka',
        '    topic: x',
        '    mode:',
        '      window:',
        '        size: 1m',
        '        slide: 2m',
        '        aggregates: {views: count(event), price: "sum(event.price", most: max(evnt.price)}',
        '        having: visits > 3',
        'tasks: [{name: a, type: empty}]',
      ],
      'SL205 10:29 SL205 10:50 SL206 9:16 SL502 10:79 SL502 11:17',
    ],
    [
      'a window that shares out keys which it does not have',
      [
        'triggers:',
        '  - {name: t, type: kafka, topic: x, mode: {window: {size: 1m, aggregates: {views: count()}, keys_per_run: 9}}}',
        'tasks: [{name: a, type: empty}]',
      ],
      'SL202 3:94',
    ],
    [
      'a condition that is none',
      ['triggers: [{name: t, type: kafka, topic: x, when: event_meta.topic}]', 'tasks: [{name: a, type: empty}]'],
      'SL503 2:51',
    ],
    ['an assertion over an unknown task', ['sla: [{name: s, assert: outputs.b.n > 1}]', 'tasks: [{name: a, type: empty}]'], 'SL504 2:25'],
    [
      'a data set that nobody makes',
      ['triggers: [{name: t, type: dataset, any: ["s3://a/b"]}]', 'tasks: [{name: a, type: empty}]'],
      'SL405 2:43',
    ],
    ['a severity that is none', ['sla: [{name: s, within: 2h, severity: high}]', 'tasks: [{name: a, type: empty}]'], 'SL204 2:39'],
  ],
};

describe('mistakes in the language', () => {
  for (const [subject, cases] of Object.entries(CASES)) {
    describe(subject, () => {
      for (const [title, lines, expected] of cases) {
        it(`${title}: ${expected || 'none'}`, () => {
          const { diagnostics, plan } = compiler.compile({ file: 'x.yaml', text: ['dag_id: x', ...lines].join('\n') });
          const found = diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`).sort();
          assert.deepEqual(
            found,
            expected
              .split(/ (?=SL)/)
              .filter(Boolean)
              .sort(),
            JSON.stringify(diagnostics, null, 1),
          );
          assert.equal(
            plan === undefined,
            diagnostics.some(({ severity }) => severity === 'error'),
          );
        });
      }
    });
  }

  it('between files: unknown pipelines, cycles, wrong parameters', () => {
    const file = (dagId: string, body: string) => ({ file: `${dagId}.yaml`, text: `dag_id: ${dagId}\n${body}` });
    const results = compiler.compileAll([
      file('a', 'tasks: [{name: p, type: run_pipeline, dag_id: b}]'),
      file('b', 'tasks: [{name: p, type: run_pipeline, dag_id: a}]'),
      file('c', 'tasks: [{name: p, type: run_pipeline, dag_id: dd}]'),
      file('d', 'params: {n: {type: integer}}\ntasks: [{name: t, type: empty}]'),
      file('e', 'tasks: [{name: p, type: run_pipeline, dag_id: d, params: {n: x, m: 1}}]'),
      file('f', 'tasks: [{name: p, type: run_pipeline, dag_id: d, params: {n: 1}}]'),
    ]);
    assert.deepEqual(
      results.map(({ diagnostics }) => diagnostics.map(({ code, column }) => `${code} ${column}`).join(' ')),
      ['SL307 47', 'SL307 47', 'SL306 47', '', 'SL503 62 SL505 65', ''],
    );
    assert.deepEqual(Object.keys(results[5]?.plan?.pipelines ?? {}), ['d']);
  });

  it('warns of connections that are not defined, where it is known which are', () => {
    const text = 'dag_id: x\ntasks: [{name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, postgres_conn_id: shopp}]';
    const [compiled] = compiler.compileAll([{ file: 'x.yaml', text }], { connections: new Set(['shop']) });
    assert.deepEqual(
      compiled?.diagnostics.map(({ code, severity, hint }) => [code, severity, hint]),
      [['SL406', 'warning', "did you mean 'shop'?"]],
    );
    assert.ok(compiled.plan);
  });

  it('suggests none that only ends in the same word', () => {
    const hints = ['postgres_default', 'redshfit_default', 'spark_defautl'].map((name) => {
      const text = `dag_id: x\ntasks: [{name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, postgres_conn_id: ${name}}]`;
      const connections = new Set(['spark_default', 'redshift_default', 'aws_default']);
      return compiler.compileAll([{ file: 'x.yaml', text }], { connections })[0]?.diagnostics[0]?.hint;
    });
    assert.deepEqual(hints, [
      'define SLUICE_CONN_POSTGRES_DEFAULT where the workers run',
      "did you mean 'redshift_default'?",
      "did you mean 'spark_default'?",
    ]);
  });

  it('warns of them wherever a task names one: in a side of reconcile, in a handler that notifies people', () => {
    const text = `dag_id: x
tasks: [{name: a, type: reconcile, source: {conn_id: shop, table: t}, target: {conn_id: warehous, table: t}, key: [id]}]
on_failure: [{name: b, type: notify, to: slack, conn_id: team, message: m}]`;
    const [compiled] = compiler.compileAll([{ file: 'x.yaml', text }], { connections: new Set(['shop', 'warehouse', 'the_team']) });
    assert.deepEqual(
      compiled?.diagnostics.map(({ code, line, hint }) => [code, line, hint]),
      [
        ['SL406', 2, "did you mean 'warehouse'?"],
        ['SL406', 3, 'define SLUICE_CONN_TEAM where the workers run'],
      ],
    );
  });

  it('warns of them in alerts, of each channel, and in triggers of every type', () => {
    const sources = TRIGGERS.flatMap(({ connection, example }) =>
      connection ? [`  - ${JSON.stringify({ ...example, name: `on_${String(example.type)}`, conn_id: 'typo' })}`] : [],
    );
    const alerts =
      'alerts: {pagerduty: {conn_id: pagerduty_oncal}, slack: {conn_id: slack_tem}, webhook: {conn_id: hoook}, waiting: {slack: {conn_id: slack_tem}}}';
    const text = `dag_id: x\n${alerts}\ntriggers:\n${sources.join('\n')}\ntasks: [{name: a, type: empty}]`;
    const connections = new Set(['pagerduty_oncall', 'slack_team', 'hook']);
    const [compiled] = compiler.compileAll([{ file: 'x.yaml', text }], { connections });
    assert.ok(compiled?.plan, JSON.stringify(compiled?.diagnostics));
    const found = compiled.diagnostics.filter(({ code }) => code === 'SL406');
    assert.deepEqual(
      found.map(({ line, severity }) => [line, severity]),
      [2, 2, 2, 2, ...sources.map((_, index) => 4 + index)].map((line) => [line, 'warning']),
    );
    assert.deepEqual(
      found.slice(0, 4).map(({ hint }) => hint),
      ["did you mean 'pagerduty_oncall'?", "did you mean 'slack_team'?", "did you mean 'hook'?", "did you mean 'slack_team'?"],
    );
  });

  it('warns of a registry that is not defined, and of none where none is named', () => {
    const promote = '{name: a, type: promote_model, model: m, version: v, aws_conn_id: s3';
    const text = `dag_id: x\ntasks: [${promote}}, ${promote.replace('name: a', 'name: b')}, registry_conn_id: mlfow}]`;
    const [compiled] = compiler.compileAll([{ file: 'x.yaml', text }], { connections: new Set(['s3', 'mlflow']) });
    assert.deepEqual(
      compiled?.diagnostics.map(({ code, severity, hint }) => [code, severity, hint]),
      [['SL406', 'warning', "did you mean 'mlflow'?"]],
    );
  });
});
