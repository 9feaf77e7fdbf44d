import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

/** The pipeline that is started: a parameter of each type, and `region`, which has no default. */
const CHILD = `dag_id: child
params:
  region: {type: string}
  days: {type: integer, default: 7}
  share: {type: number, default: 0.5}
  full: {type: boolean, default: false}
  stores: {type: array, items: {type: integer}, default: [1]}
  options: {type: object, properties: {mode: {type: string}}, default: {}}
  level: {type: string, enum: [low, high], default: low}
  bare: 3
tasks: [{name: a, type: empty}]`;

/** What is said of a `run_pipeline` with these parameters, in a pipeline that has a parameter of each type itself. */
function starting(params: string | undefined, child = CHILD): string[] {
  const parent = `dag_id: parent
params: {text: x, whole: 1, part: 0.5, yes: true, list: {type: array, items: {type: string}, default: []}}
tasks:
  - {name: first, type: sql, sql: SELECT 1}
  - {name: start, type: run_pipeline, dag_id: child${params === undefined ? '' : `, params: ${params}`}}`;
  const [compiled] = compiler.compileAll([
    { file: 'parent.yaml', text: parent },
    { file: 'child.yaml', text: child },
  ]);
  return (compiled?.diagnostics ?? []).map(({ code, message }) => `${code} ${message}`);
}

describe('what run_pipeline gives is checked against the parameters of the pipeline that it starts', () => {
  const GOOD = [
    '{region: eu}',
    '{region: "{{ params.text }}", days: "{{ params.whole }}", share: "{{ params.whole }}", full: "{{ params.yes }}"}',
    '{region: "{{ ds }}", share: "{{ params.part }}", stores: [1, "{{ params.whole }}"], options: {mode: "{{ ds }}"}}',
    '{region: "eu-{{ params.whole }}", level: "{{ params.text }}", bare: "{{ params.whole * 2 }}"}',
  ];
  for (const params of GOOD) it(`takes ${params}`, () => assert.deepEqual(starting(params), []));

  const BAD: readonly (readonly [params: string | undefined, expected: RegExp])[] = [
    [undefined, /^SL202 .*'child' requires the parameter 'region'/],
    ['{days: 3}', /^SL202 .*'region'/],
    ['{region: 5}', /^SL503 'region' must be text/],
    ['{region: eu, days: "{{ params.text }}"}', /^SL503 'days' must be a whole number, but this is text/],
    ['{region: eu, days: "{{ params.part }}"}', /^SL503 'days' must be a whole number/],
    ['{region: eu, days: "1{{ params.whole }}"}', /^SL503 'days' must be a whole number/],
    ['{region: eu, full: "{{ ds }}"}', /^SL503 'full' must be true or false/],
    ['{region: eu, stores: "{{ params.whole }}"}', /^SL503 'stores' must be a list/],
    ['{region: eu, stores: ["{{ ds }}"]}', /^SL503 .* must be a whole number/],
    ['{region: eu, stores: {a: "{{ ds }}"}}', /^SL503 'stores' must be a list/],
    ['{region: ["{{ ds }}"]}', /^SL503 'region' must be text/],
    ['{region: eu, options: {mode: "{{ params.list }}"}}', /^SL503 'mode' must be text/],
    ['{region: eu, level: middle}', /^SL503 'level' is "middle"; allowed/],
    ['{region: eu, bare: "{{ params.text }}"}', /^SL503 'bare' must be a whole number/],
    ['{region: eu, reigon: eu}', /^SL505 'child' declares no parameter 'reigon'/],
  ];
  for (const [params, expected] of BAD) {
    it(`refuses ${params ?? 'none where one is needed'}`, () => {
      const said = starting(params);
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', expected);
    });
  }

  it('also where that pipeline has its own mistakes', () => {
    const said = starting('{region: 5}', CHILD.replace('type: empty', 'type: emtpy'));
    assert.ok(
      said.some((each) => each.startsWith("SL503 'region' must be text")),
      said.join('\n'),
    );
  });
});

describe('what a trigger gives is checked against the parameters of its pipeline', () => {
  const triggered = (params: string): string[] => {
    const text = `${CHILD}\ntriggers: [{name: t, type: kafka, topic: x${params}}]`;
    return compiler.compile({ file: 'x.yaml', text }).diagnostics.map(({ code, message }) => `${code} ${message}`);
  };
  it('with their types, if they are known', () => {
    assert.deepEqual(triggered(', params: {region: "{{ event.region }}", days: "{{ event.days }}"}'), []);
    assert.match(triggered(', params: {region: eu, days: soon}').join('\n'), /^SL503 'days' must be a whole number, not "soon"/);
    assert.match(triggered(', params: {region: eu, days: "{{ ds }}"}').join('\n'), /^SL503 'days' must be a whole number/);
    assert.match(triggered(', params: {region: eu, day: 1}').join('\n'), /^SL505/);
    assert.match(triggered('').join('\n'), /^SL202 .*requires the parameter 'region'/);
  });
});

describe('a connection of another type than its key needs is a mistake where its type is known', () => {
  const types = { warehouse: 'redshift', shop: 'postgres', team: 'http', oncall: 'pagerduty', bus: 'kafka', files: 'aws' };
  const context = { connections: new Set(Object.keys(types)), connectionTypes: new Map(Object.entries(types)) };
  const SIDE = '{conn_id: shop, table: t}';
  const KEYS: readonly (readonly [line: string, wrong: string, right: string])[] = [
    ['tasks: [{name: a, type: sql, sql: SELECT 1, conn_id: NAME}]', 'files', 'shop'],
    ['tasks: [{name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, postgres_conn_id: NAME}]', 'warehouse', 'shop'],
    ['tasks: [{name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, aws_conn_id: NAME}]', 'shop', 'files'],
    ['tasks: [{name: a, type: http, path: /x, conn_id: NAME}]', 'bus', 'team'],
    [`tasks: [{name: a, type: reconcile, source: ${SIDE}, target: {conn_id: NAME, table: t}, key: [id]}]`, 'files', 'warehouse'],
    [`tasks: [{name: a, type: reconcile, source: ${SIDE}, target: {conn_id: NAME, dataset: "s3://b-b-b/x"}, key: [id]}]`, 'shop', 'files'],
    ['tasks: [{name: a, type: empty}]\non_failure: [{name: b, type: notify, to: pagerduty, conn_id: NAME, message: m}]', 'team', 'oncall'],
    ['tasks: [{name: a, type: empty}]\non_failure: [{name: b, type: notify, to: slack, conn_id: NAME, message: m}]', 'oncall', 'team'],
    ['tasks: [{name: a, type: empty}]\nalerts: {pagerduty: {conn_id: NAME}}', 'team', 'oncall'],
    ['tasks: [{name: a, type: empty}]\nalerts: {waiting: {slack: {conn_id: NAME}}}', 'oncall', 'team'],
    ['tasks: [{name: a, type: empty}]\ntriggers: [{name: t, type: kafka, topic: x, conn_id: NAME}]', 'shop', 'bus'],
  ];
  const compile = (text: string): string[] =>
    (compiler.compileAll([{ file: 'x.yaml', text: `dag_id: x\n${text}` }], context)[0]?.diagnostics ?? []).map(
      ({ code, message }) => `${code} ${message}`,
    );
  for (const [line, wrong, right] of KEYS) {
    it(`in ${line.replace(/\n/g, ' ')}`, () => {
      assert.deepEqual(compile(line.replace('NAME', right)), []);
      const said = compile(line.replace('NAME', wrong));
      assert.equal(said.length, 1, said.join('\n'));
      assert.match(said[0] ?? '', /^SL408 Connection '\w+' is of type \w+; '\w+' needs \w+/);
    });
  }

  it("name a task type's default, and Airflow's names where nothing is known of this machine", () => {
    const text = 'dag_id: x\ntasks: [{name: a, type: sql, sql: SELECT 1}]';
    const known = { connections: new Set(['postgres_default']), connectionTypes: new Map([['postgres_default', 'kafka']]) };
    assert.match(
      compiler.compileAll([{ file: 'x.yaml', text }], known)[0]?.diagnostics[0]?.message ?? '',
      /of type kafka; this task needs/,
    );
    const named = 'dag_id: x\ntasks: [{name: a, type: sql, sql: SELECT 1, conn_id: aws_default}]';
    const [diagnostic] = compiler.compile({ file: 'x.yaml', text: named }).diagnostics;
    assert.equal(diagnostic?.code, 'SL408');
    const defined = { connections: new Set(['aws_default']) };
    assert.deepEqual(compiler.compileAll([{ file: 'x.yaml', text: named }], defined)[0]?.diagnostics, []);
  });

  const CONNECTION_TYPES = new Map([
    ['bus', 'kafka'],
    ['shop', 'mysql'],
    ['store', 'aws'],
    ['queue', 'rabbitmq'],
  ]);
  for (const [expression, mistake] of [
    ['conn.bus.brokers.join(",")', undefined],
    ['conn.shop.host', undefined],
    ['conn.queue.port', undefined],
    ['conn.nobody_knows.host', undefined],
    ['conn.bus.host', /cannot read 'host' of 'bus', a connection of type kafka/],
    ['conn.store.database', /cannot read 'database' of 'store', a connection of type aws/],
    ['conn.postgres_default.brokers', /of type postgres/],
    ['conn.shop.password', /secrets are never values/],
  ] as const) {
    it(`an expression reads of a connection what its type has: ${expression}`, () => {
      const text = `dag_id: x\ntasks: [{name: a, type: command, argv: [echo, "{{ ${expression} }}"]}]`;
      const [compilation] = compiler.compileAll([{ file: 'x.yaml', text }], { connectionTypes: CONNECTION_TYPES });
      const [diagnostic] = (compilation?.diagnostics ?? []).filter(({ code }) => code === 'SL509');
      if (mistake) assert.match(diagnostic?.message ?? '', mistake);
      else assert.equal(diagnostic, undefined);
    });
  }
});
