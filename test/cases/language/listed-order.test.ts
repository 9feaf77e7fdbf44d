import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

/** What is told of tasks, each `name` or `name: [what it depends on]`. */
function told(tasks: readonly string[], head = ''): string[] {
  const lines = tasks.map((each) => {
    const [name = '', dependsOn] = each.split(': ');
    return `  - {name: ${name}, type: empty${dependsOn === undefined ? '' : `, depends_on: ${dependsOn}`}}\n`;
  });
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: `dag_id: x\n${head}tasks:\n${lines.join('')}` });
  assert.ok(plan);
  return diagnostics.map(({ code, severity, line }) => `${severity} ${code} ${line}`);
}

describe('the first depends_on in a listed order', () => {
  it('is a warning where it leaves tasks without a place', () => {
    assert.deepEqual(told(['create', 'fill', 'swap', 'tell: [swap]']), ['warning SL313 4']);
    assert.deepEqual(told(['create', 'fill', 'swap: [create]']), ['warning SL313 4']);
    assert.deepEqual(told(['create', 'fill', 'report: [fill]']), ['warning SL313 4']);
    assert.deepEqual(told(['create', 'fill', 'swap', 'tell: [fill, swap]']), ['warning SL313 4']);
  });

  it('is a warning where it leaves the tasks of a group without a place', () => {
    const load = (keys: string, second: string): string[] => {
      const text = `dag_id: x\ntasks:\n  - {name: start, type: empty}\n  - {name: end, type: empty, depends_on: [load]}\ntask_groups:\n  - name: load\n    depends_on: [start]\n    tasks:\n      - {name: create, type: empty}\n      - {name: fill, type: empty${second}}\n${keys}`;
      const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
      assert.ok(plan, JSON.stringify(diagnostics));
      return diagnostics.map(({ code, line }) => `${code} ${line}`);
    };
    assert.deepEqual(load('', ''), ['SL313 10']);
    assert.deepEqual(load('', ', depends_on: [create]'), []);
    assert.deepEqual(load('', ', depends_on: []'), []);
    assert.deepEqual(load('execution: graph\n', ''), []);
  });

  it('is none where each task has its place, or where a graph is meant', () => {
    assert.deepEqual(told(['create', 'fill', 'swap']), []);
    assert.deepEqual(told(['a', 'b', 'c: [a, b]']), []);
    assert.deepEqual(told(['a', 'b: [a]', 'c: []']), []);
    assert.deepEqual(told(['a', 'b: []', 'c: [b]']), []);
    assert.deepEqual(told(['a', 'b', 'c: [a]', 'd: [b]']), []);
    assert.deepEqual(told(['create', 'fill', 'swap', 'tell: [swap]'], 'execution: graph\n'), []);
  });
});
