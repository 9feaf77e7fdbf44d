import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { importDags } from '../../../cli/import/import-dags.ts';
import { ImportError } from '../../../cli/import/source-value.ts';
import { cpuTimer } from '../../support/cpu-time.ts';
import { caseCount } from '../../support/random-cases.ts';

const TASKS = '{x: {operator: EmptyOperator}}';

/** What is given, the name of its file, where it goes wrong and what is said. */
const REFUSED: Record<string, [text: string, place: string, message: RegExp, file?: string]> = {
  'not YAML': ['a: [', '1:5', /cannot be read/],
  'a key that stands twice': ['a: 1\na: 2\n', '2:1', /cannot be read: Map keys must be unique/],
  nothing: ['', '1:1', /empty/],
  'two documents': [`a: {tasks: ${TASKS}}\n---\nb: 1`, '2:1', /more than one document/],
  'a text': ['hello', '1:1', /This file contains no DAG.*dag-factory.*REST API/],
  'other JSON': ['{"a": [1, 2]}', '1:1', /This file contains no DAG/],
  'Python by its name': ['x = 1', '1:1', /Python file, which Sluice neither runs nor reads.*dag-factory/, 'dag.py'],
  'Python by what it says': ['from airflow import DAG\nwith DAG("a") as dag: pass\n  x: [', '1:1', /Python/],
  'an alias of itself': [`a: &a {tasks: ${TASKS}, b: *a}`, '1:47', /inside of what it means/],
  'an alias of nothing': [`a: {tasks: *nobody}`, '1:5', /anchor 'nobody'|cannot be read/],
  'ten million values in ten lines': [
    `a: {tasks: ${TASKS}}\nb0: &b0 [1]\n${Array.from({ length: 9 }, (_, n) => `b${n + 1}: &b${n + 1} [${Array(10).fill(`*b${n}`).join(', ')}]`).join('\n')}`,
    '8:1',
    /more than 500,000 values/,
  ],
  'a hundred thousand levels': ['['.repeat(100_000), '1:*', /nested more than 256 levels deep/],
  'a hundred thousand levels of lists': ['- '.repeat(100_000), '1:513', /nested more than 256 levels deep/],
  'a hundred thousand levels of maps': ['{a: '.repeat(100_000), '1:1025', /nested more than 256 levels deep/],
  'a hundred thousand documents': ['---\n'.repeat(100_000), '1:1', /more documents than can be read|more than one document/],
  'a break that nobody sees': ['default: {}\u2028a: 7', '1:12', /a line separator \(U\+2028\).*delete it/],
  'too many characters': [`# ${'x'.repeat(9_000_000)}`, '1:1', /9,000,002 characters; 8,388,608 are allowed/],
  'a DAG without tasks': ['default: {}\na: {schedule: null}', '2:1', /DAG 'a' has no tasks/],
  'a DAG that is none': ['default: {}\na: 7', '2:1', /'a' is not a DAG/],
  'tasks that are a text': ['a: {tasks: hello}', '1:5', /'tasks' must be a map or a list/],
  'tasks without ids': ['a: {tasks: [{operator: X}]}', '1:13', /a map with 'task_id'/],
  'tasks of one id': ['a: {tasks: [{task_id: x, operator: X}, {task_id: x, operator: X}]}', '1:41', /'x' is listed twice/],
  'a cycle': [
    'a:\n  tasks:\n    x: {operator: EmptyOperator, dependencies: [y]}\n    y: {operator: EmptyOperator, dependencies: [x]}',
    '3:5',
    /cycle: x → y → x/,
  ],
  'a cycle through a group': [
    'a:\n  task_groups: {g: {dependencies: [y]}}\n  tasks:\n    x: {operator: EmptyOperator, task_group_name: g}\n    y: {operator: EmptyOperator, dependencies: [g]}',
    '4:5',
    /cycle/,
  ],
  'groups in each other': [
    `a:\n  task_groups: {g: {parent_group_name: h}, h: {parent_group_name: g}}\n  tasks: {x: {operator: X, task_group_name: g}}`,
    '2:17',
    /contain each other/,
  ],
  'defaults alone': ['default_args: {owner: me}', '1:1', /Copy them under 'default:'/],
  'details without tasks': ['{"dag_id": "a", "fileloc": "x"}', '1:1', /without its tasks.*tasks. as the next file/],
  'tasks without details': ['{"tasks": [{"task_id": "a", "operator_name": "X"}]}', '1:1', /without their DAG/],
  'a later version': ['{"__version": 9, "dag": {"dag_id": "a"}}', '1:2', /version 9; versions 1 to 3/],
  'a serialized DAG without an id': ['{"__version": 1, "dag": {"tasks": []}}', '1:18', /no 'dag_id'/],
  'a serialized DAG of nothing': ['{"__version": 1, "dag": null}', '1:18', /no 'dag_id'/],
  'a serialized task that is followed by nobody': [
    '{"__version": 1, "dag": {"_dag_id": "a", "tasks": [{"task_id": "x", "downstream_task_ids": ["y"]}]}}',
    '1:93',
    /followed by 'y', which is not among the tasks/,
  ],
};

describe('import of what cannot be imported', () => {
  for (const [name, [text, place, message, file = 'dags.yml']] of Object.entries(REFUSED)) {
    it(name, function () {
      this.timeout(10_000);
      const failures = importDags([{ file, text }]).filter((result) => result instanceof ImportError);
      assert.equal(failures.length, 1);
      assert.match(failures[0]?.message ?? '', message);
      // How deep the parser gets depends on the stack that it is given.
      const { line, column } = failures[0]?.place ?? {};
      assert.equal(`${line}:${place.endsWith('*') ? '*' : column}`, place);
    });
  }

  it('a bad DAG hides no good one', () => {
    const results = importDags([
      { file: 'bad.yml', text: 'a: [' },
      { file: 'half.yml', text: `default: {}\nbad: {}\ngood: {tasks: ${TASKS}}` },
    ]);
    assert.deepEqual(
      results.map((result) => (result instanceof ImportError ? result.place.file : result.dagId)),
      ['bad.yml', 'half.yml', 'good'],
    );
  });

  it('the same DAG twice is imported once', () => {
    const text = `a: {tasks: ${TASKS}}`;
    const [first, second] = importDags([
      { file: '1.yml', text },
      { file: '2.yml', text },
    ]);
    assert.ok(first && !(first instanceof ImportError));
    assert.ok(second instanceof ImportError && /Another DAG of these files is called 'a'/.test(second.message));
  });

  const count = caseCount(2000);
  it(`${count} tasks take at most 2.5 ms each`, function () {
    this.timeout('1m');
    const spent = cpuTimer();
    const tasks = Array.from(
      { length: count },
      (_, n) => `    t${n}: {operator: EmptyOperator, dependencies: [${n > 0 ? `t${n - 1}` : ''}]}`,
    );
    const [only] = importDags([{ file: 'big.yml', text: `big:\n  tasks:\n${tasks.join('\n')}` }]);
    assert.ok(only && !(only instanceof ImportError) && only.yaml.includes(`name: t${count - 1}`));
    assert.ok(spent() < 2.5 * count, `${spent()} ms`);
  });
});
