import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Compilation } from '../../../compiler/compile.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { compiler } from '../../support/compiler.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

function compile(text: string): Compilation {
  return compiler.compile({ file: 'x.yaml', text });
}

function planOf(text: string): Plan {
  const { plan, diagnostics } = compile(text);
  assert.ok(plan, JSON.stringify(diagnostics));
  return plan;
}

/** What is told, each as `line:column code message (hint)`. */
function told(text: string): string[] {
  return compile(text).diagnostics.map(
    ({ code, line, column, message, hint = '' }) => `${line}:${column} ${code} ${message}${hint === '' ? '' : ` (${hint})`}`,
  );
}

const TASK = 'tasks: [{name: a, type: empty}]';

describe('merge keys', () => {
  it('give a map the keys of others: its own win, then those of the map that is listed first', () => {
    const merged = planOf(`dag_id: x
x-slow: &slow {retries: 7, retry_delay: 1m, execution_timeout: 2h}
x-careful: &careful {retries: 9, pool: warehouse}
default_args:
  <<: *slow
  retries: 1
tasks:
  - <<: [*careful, *slow]
    name: a
    type: sql
    sql: SELECT 1
    execution_timeout: 5m
  - &b {name: b, type: http, path: /x, headers: &headers {a: '1', b: '2'}}
  - <<: *b
    name: c
    headers:
      b: '3'
      <<: *headers
      c: '4'
`);
    const written = planOf(`dag_id: x
default_args: {retries: 1, retry_delay: 1m, execution_timeout: 2h}
tasks:
  - {name: a, type: sql, sql: SELECT 1, retries: 9, pool: warehouse, retry_delay: 1m, execution_timeout: 5m}
  - {name: b, type: http, path: /x, headers: {a: '1', b: '2'}}
  - {name: c, type: http, path: /x, headers: {a: '1', b: '3', c: '4'}}
`);
    assert.deepEqual(merged.tasks, written.tasks);
    assert.equal(merged.hash, written.hash);
  });

  it('merge maps that were merged themselves, and maps that are written out', () => {
    const { tasks } = planOf(`dag_id: x
x-a: &a {retries: 1, retry_delay: 1s}
x-b: &b {<<: *a, retries: 2}
tasks: [{<<: [*b, {pool: p}], name: a, type: sql, sql: SELECT 1}]
`);
    assert.deepEqual([tasks[0]?.retry.maximumAttempts, tasks[0]?.retry.initialDelayMs, tasks[0]?.pool?.name], [3, 1000, 'p']);
  });

  it('show a mistake where the key was written, once', () => {
    const found = told(`dag_id: x
x-bad: &bad
  retires: 3
  retry_delay: 5
tasks:
  - {<<: *bad, name: a, type: sql, sql: SELECT 1}
  - {<<: *bad, name: b, type: sql, sql: "SELECT {{ dss }}"}
`);
    assert.deepEqual(
      found.map((each) => each.split(' ').slice(0, 2).join(' ')),
      ['3:3 SL201', '4:16 SL203', '7:52 SL502'],
    );
  });

  it('of what is not a map are a mistake at their place', () => {
    for (const [value, place, what] of [
      ['*list', '4:7', 'a list'],
      ['*text', '4:7', "'words'"],
      ['[*map, *text]', '4:14', "'words'"],
      ['5', '4:7', "'5'"],
      ['', '4:3', 'empty'],
      ['[[*map]]', '4:8', 'a list'],
    ]) {
      const found = told(`dag_id: x
x-anchors: [&list [[1]], &text words, &map {retries: 1}]
default_args:
  <<: ${value}
${TASK}
`);
      assert.deepEqual(
        found,
        [
          `${place} SL112 \`<<\` merges the keys of maps, but this is ${what}. (name a map, \`<<: *defaults\`, or several, \`<<: [*a, *b]\`)`,
        ],
        value,
      );
    }
  });

  it('need an anchor above, as every alias does', () => {
    assert.deepEqual(told(`dag_id: x\ndefault_args: {<<: *nope}\n${TASK}\n`), [
      "2:20 SL112 No anchor '&nope' precedes this alias. (write `&nope` before the value; put a text that starts with * in quotes)",
    ]);
    assert.match(
      told(`dag_id: x\ndefault_args: {<<: *late}\nx-late: &late {retries: 1}\n${TASK}\n`).join(),
      /^2:20 SL112 .*move the anchor up/,
    );
    assert.match(told(`dag_id: x\nowner: *nope\n${TASK}\n`).join(), /^2:8 SL112 No anchor '&nope' precedes/);
    assert.match(told(`dag_id: x\nx-a: &a {<<: *a}\n${TASK}\n`).join(), /^2:14 SL112 This merge is inside of the map/);
    assert.match(told(`dag_id: x\nx-a: &a {b: {<<: *a}}\n${TASK}\n`).join(), /^2:18 SL112 This merge is inside of the map/);
    assert.match(told(`dag_id: x\nx-a: &a {b: 1}\ndefault_args:\n  <<: *a\n  <<: *a\n${TASK}\n`).join(), /^5:3 SL101 .*one, with a list/);
  });

  it('leave aliases behind them what they mean, and text in quotes alone', () => {
    const { tasks } = planOf(`dag_id: x
x-a: &a {headers: &h {v: 'first'}}
x-b: &h {v: 'second'}
tasks:
  - {<<: *a, name: a, type: http, path: /x}
  - {name: b, type: http, path: /x, headers: *h}
`);
    assert.deepEqual(
      tasks.map(({ params }) => params.headers),
      [{ v: 'first' }, { v: 'second' }],
    );
    assert.match(told(`dag_id: x\nx-a: &a {retries: 1}\ndefault_args: {"<<": *a}\n${TASK}`).join(), /Unknown key '<<'/);
  });

  it('of merges of merges stay within what a file may hold', () => {
    const lines = ['dag_id: x', 'x-a0: &a0 {k: 1}'];
    for (let level = 1; level <= 30; level++) lines.push(`x-a${level}: &a${level} {p: {<<: *a${level - 1}}, q: {<<: *a${level - 1}}}`);
    const wide = ['dag_id: x', 'x-a0: &a0 {k: 1}'];
    for (let level = 1; level <= 30; level++) {
      const name = `*a${level - 1}`;
      wide.push(`x-a${level}: &a${level} {<<: [${Array(20).fill(name).join(', ')}], k${level}: 1}`);
    }
    const usedCpu = cpuTimer();
    assert.match(told([...lines, TASK].join('\n')).join(), /SL104 With expanded aliases, the file has more than 200,000 values/);
    assert.deepEqual(told([...wide, TASK].join('\n')), []);
    assert.ok(usedCpu() < 3_000);
  });
});

describe('keys that begin with x-', () => {
  it('are allowed at the top of a file, hold anything, and change nothing', () => {
    const plain = planOf(`dag_id: x\n${TASK}\n`);
    const more = planOf(
      `dag_id: x\nx-anything: {tasks: [5], "{{ nonsense": "{{ nonsense }}", big: 12345678901234567890, 007: 007}\nx-list: [a, {b: c}]\nx-: null\n${TASK}\n`,
    );
    assert.deepEqual(more, plain);
  });

  it('elsewhere are a mistake that names the allowed places', () => {
    for (const text of [
      `dag_id: x\ntasks:\n  - {name: a, type: empty, x-own: 1}\n`,
      `dag_id: x\ndefault_args: {x-own: 1}\n${TASK}\n`,
      `dag_id: x\ntriggers: [{name: a, type: kafka, topic: t, x-own: 1}]\n${TASK}\n`,
      `dag_id: x\ntask_groups: [{name: g, x-own: 1, ${TASK}}]\ntasks: [{name: b, type: empty}]\n`,
    ])
      assert.match(
        told(text).join(),
        /SL201 Unknown key 'x-own'.*\(keys that start with x- are only allowed at the top level of the file/,
        text,
      );
  });

  it('are what other ways to write them lead to', () => {
    for (const key of ['.defaults', '_defaults', 'x_defaults', 'X-defaults'])
      assert.match(told(`dag_id: x\n${key}: &d {retries: 1}\n${TASK}\n`).join(), /SL201 .*must start with x-: x-defaults/, key);
  });
});
