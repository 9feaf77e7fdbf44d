import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';

const compiler = new Compiler(CATALOG);

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
  });

  it('is none where each task has its place, or where a graph is meant', () => {
    assert.deepEqual(told(['create', 'fill', 'swap']), []);
    assert.deepEqual(told(['a', 'b', 'c: [a, b]']), []);
    assert.deepEqual(told(['a', 'b: [a]', 'c: []']), []);
    assert.deepEqual(told(['create', 'fill', 'swap', 'tell: [swap]'], 'execution: graph\n'), []);
  });
});
