import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Compilation } from '../../../compiler/compile.ts';
import { drawMermaid } from '../../../graph/mermaid.ts';
import { graphOfPlan } from '../../../graph/graph-of-plan.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { compiler } from '../../support/compiler.ts';

function compile(text: string): Compilation {
  return compiler.compileAll([{ file: 'x.yaml', text }], { queues: new Set(['gpu']) })[0] as Compilation;
}

function planOf(text: string): Plan {
  const { plan, diagnostics } = compile(text);
  assert.ok(plan, JSON.stringify(diagnostics));
  return plan;
}

function told(text: string): string[] {
  return compile(text).diagnostics.map(({ code, line, column, message }) => `${line}:${column} ${code} ${message}`);
}

/** What each task waits for, as `b<a,c`. */
function edges(text: string): string {
  return planOf(text)
    .tasks.map(({ name, dependsOn }) => `${name}<${dependsOn.join(',')}`)
    .sort()
    .join(' ');
}

const NESTED = `dag_id: x
tasks:
  - {name: start, type: empty}
  - {name: end, type: empty, depends_on: [load]}
  - {name: after_parts, type: empty, depends_on: [load.parts]}
task_groups:
  - name: load
    depends_on: [start]
    tasks:
      - {name: prepare, type: empty}
      - {name: check, type: empty, depends_on: [parts]}
    task_groups:
      - name: parts
        depends_on: [prepare]
        tasks:
          - {name: a, type: empty}
          - {name: b, type: empty, depends_on: [a]}
          - {name: c, type: empty, depends_on: [rest.d, prepare]}
        task_groups:
          - name: rest
            tasks: [{name: d, type: empty}]
`;

describe('groups in groups', () => {
  it('have full names, and are waited for at each level', () => {
    assert.equal(
      edges(NESTED),
      [
        'after_parts<load.parts.b,load.parts.c',
        'end<load.check',
        'load.check<load.parts.b,load.parts.c',
        'load.parts.a<load.prepare',
        'load.parts.b<load.parts.a',
        'load.parts.c<load.parts.rest.d,load.prepare',
        'load.parts.rest.d<load.prepare',
        'load.prepare<start',
        'start<',
      ].join(' '),
    );
  });

  it('are the same when tasks name them', () => {
    const grouped = planOf(
      'dag_id: x\nexecution: graph\ntasks: [{name: a, type: empty, group: o.i}, {name: b, type: empty, group: o, depends_on: [i]}, {name: c, type: empty, depends_on: [o]}]\n',
    );
    assert.deepEqual(
      grouped.tasks.map(({ name, group, dependsOn }) => [name, group, dependsOn]),
      [
        ['o.i.a', 'o.i', []],
        ['o.b', 'o', ['o.i.a']],
        ['c', undefined, ['o.b']],
      ],
    );
  });

  it('run in the listed order where nothing depends on anything', () => {
    const text = NESTED.replaceAll(/,? *depends_on: \[[^\]]*\]/g, '');
    assert.equal(
      planOf(text)
        .tasks.map(({ name }) => name)
        .join(' '),
      'start end after_parts load.prepare load.check load.parts.a load.parts.b load.parts.c load.parts.rest.d',
    );
  });

  it('are drawn in each other', () => {
    const lines = drawMermaid(graphOfPlan(planOf(NESTED))).split('\n');
    const boxes = lines.filter((line) => /subgraph|^ +end$/.test(line)).map((line) => line.replace(/g\d+/, 'g'));
    assert.deepEqual(boxes, [
      '  subgraph g["load"]',
      '    subgraph g["load.parts"]',
      '      subgraph g["load.parts.rest"]',
      '      end',
      '    end',
      '  end',
    ]);
  });

  it('give their tasks defaults: the nearest counts', () => {
    const { tasks } = planOf(`dag_id: x
default_args: {retries: 1, retry_delay: 1s, owner: file}
tasks:
  - {name: t, type: sql, sql: SELECT 1}
  - {name: u, type: sql, sql: SELECT 1, group: outer}
task_groups:
  - name: outer
    default_args: {retries: 2, pool: slots, owner: outer}
    tasks: [{name: t, type: sql, sql: SELECT 1}]
    task_groups:
      - name: inner
        default_args: {retries: 3}
        tasks: [{name: t, type: sql, sql: SELECT 1}, {name: u, type: sql, sql: SELECT 1, retries: 4, owner: task}]
finally: [{name: last, type: sql, sql: SELECT 1, group: outer}]
`);
    assert.deepEqual(
      tasks.map(({ name, retry, owner, pool }) => [name, retry.maximumAttempts - 1, retry.initialDelayMs, owner, pool?.name]),
      [
        ['t', 1, 1000, 'file', undefined],
        ['outer.u', 2, 1000, 'outer', 'slots'],
        ['outer.t', 2, 1000, 'outer', 'slots'],
        ['outer.inner.t', 3, 1000, 'outer', 'slots'],
        ['outer.inner.u', 4, 1000, 'task', 'slots'],
      ],
    );
  });

  it('have the checks of the file in their defaults', () => {
    const TASK = 'tasks: [{name: t, type: sql, sql: SELECT 1}]';
    const args: readonly (readonly [args: string, code: string])[] = [
      ['{retires: 1}', 'SL201'],
      ['{retries: many}', 'SL203'],
      ['{retry_delay: 5}', 'SL203'],
      ['{sql: SELECT 1}', 'SL201'],
      ['{email_on_failure: true}', 'SL201'],
      ['{queue: cpu}', 'SL311'],
      ['{retry_policy: [{on: QueryFaild, action: fail}]}', 'SL204'],
      ['{owner: "{{ ds }}"}', 'SL508'],
      ['{retries: "{{ params.n }}"}', 'SL508'],
    ];
    for (const [given, code] of args) {
      const [ofFile = ''] = told(`dag_id: x\nparams: {n: 1}\ndefault_args: ${given}\n${TASK}\n`);
      assert.match(ofFile, new RegExp(`^3:\\d+ ${code} `), given);
      const [ofGroup = '', ...more] = told(
        `dag_id: x\nparams: {n: 1}\n${TASK}\ntask_groups:\n  - name: o\n    task_groups:\n      - name: i\n        default_args: ${given}\n        ${TASK}\n`,
      );
      assert.match(ofGroup, new RegExp(`^8:\\d+ ${code} `), given);
      const words = (text: string): string => text.replace(/^\S+ /, '').replaceAll('task_groups.', '');
      assert.deepEqual([words(ofGroup), more], [words(ofFile), []], given);
    }
  });

  it('are refused where they mean nothing', () => {
    const inner = (keys: string): string =>
      `dag_id: x\nexecution: graph\ntasks: [{name: z, type: empty}]\ntask_groups:\n  - name: o\n    task_groups:\n      - ${keys}\n`;
    const T = 'tasks: [{name: t, type: empty}]';
    const CASES: readonly (readonly [string, RegExp])[] = [
      [inner('{name: i}'), /^7:16 SL202 'tasks' is missing in the group 'o\.i'\./],
      [inner(`{name: i, depends_on: [o], ${T}}`), /SL303 Group 'o\.i' depends on itself/],
      [inner(`{name: i, depends_on: [i], ${T}}`), /SL303 Group 'o\.i' depends on itself/],
      [inner(`{name: i, depends_on: [nowhere], ${T}}`), /^7:\d+ SL302 No task or group 'nowhere'/],
      [inner('{name: i, tasks: [{name: t, type: empty, depends_on: [o]}]}'), /SL303 .*depend on each other: o\.i\.t → o\.i\.t/],
      [inner(`{name: i, ${T}, task_groups: [{name: t, ${T}}]}`), /SL301 'o\.i\.t' is also the name of a task/],
      [inner(`{name: i, ${T}}\n      - {name: i, ${T}}`), /SL301 Two (?:groups|tasks) are named 'o\.i/],
      [inner(`{name: i, ${T}, tooltip: x}`), /^7:\d+ SL201 Unknown key 'tooltip'/],
      [inner('{name: i, tasks: [{name: t, type: emtpy}]}'), /^7:\d+ SL207/],
      [inner('{name: i, tasks: []}'), /^7:\d+ SL206/],
      [inner(`{name: i.j, ${T}}`), /^7:16 SL205/],
      ['dag_id: x\ntasks: [{name: a, type: empty, group: a..b}]\n', /SL205 'group'/],
    ];
    for (const [text, wanted] of CASES) assert.match(told(text).join('\n'), wanted, text);
  });

  it('end at a depth and a length of names that people can read', () => {
    const deep = (levels: number, name = 'g'): string => {
      let group = `{name: ${name}, tasks: [{name: t, type: empty}]}`;
      for (let level = 1; level < levels; level++) group = `{name: ${name}, task_groups: [${group}]}`;
      return `dag_id: x\ntasks: [{name: z, type: empty}]\ntask_groups: [${group}]\n`;
    };
    assert.equal(planOf(deep(8)).tasks.at(-1)?.name, 'g.g.g.g.g.g.g.g.t');
    assert.match(told(deep(9)).join(), /SL206 Group 'g(?:\.g){8}' is 9 levels deep; at most 8 levels are allowed/);
    assert.equal(told(deep(20)).length, 1);
    assert.match(told(deep(5, 'n'.repeat(60))).join(), /SL206 .* has 306 characters; at most 250 are allowed/);
  });

  it('are named in expressions as they are written', () => {
    const file = (expression: string): string =>
      `dag_id: x\ntasks: [{name: z, type: empty, depends_on: [o], when: ${JSON.stringify(expression)}}]\ntask_groups: [{name: o, task_groups: [{name: i, tasks: [{name: t, type: sql, sql: SELECT 1}]}]}]\n`;
    assert.deepEqual(told(file('outputs.o.i.t.rows > 0')), []);
    assert.match(told(file('outputs.o.i.t.rowz > 0')).join(), /SL506 The output of 'o\.i\.t' has no 'rowz'/);
    assert.match(told(file('outputs.o.i.u.rows > 0')).join(), /SL504 No task 'o\.i\.u' has an output/);
    assert.match(told(file('outputs.o.i > 0')).join(), /SL504 'o\.i' is a group of tasks/);
    assert.match(told(file('outputs.o.x > 0')).join(), /SL504 No task 'o\.x' has an output/);
  });
});
