import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import Type from 'typebox';
import { CATALOG } from '../../activities/catalog.ts';
import { defineTask } from '../../activities/define-task.ts';
import { Compiler } from '../../compiler/compile.ts';
import { condition, text } from '../../lib/schema-fields.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { defineTrigger } from '../../sensors/define-trigger.ts';

const gate = defineTask({
  type: 'gate',
  description: 'Opens when a condition holds.',
  summary: () => 'gate',
  params: Type.Object({
    opens: Type.Optional(condition('Opens', 'A condition over the reading.', 'reading > 1', ['reading'])),
    label: Type.Optional(text('Label', 'What it is called.', 'north')),
  }),
  result: Type.Object({ side: Type.Integer() }),
  connections: {},
  example: { name: 'gate', type: 'gate' },
  run: () => Promise.resolve({ side: 1 }),
});
const wire = defineTrigger({
  type: 'wire',
  description: 'Listens.',
  params: Type.Object({ until: Type.Optional(condition('Until', 'A condition over the event.', 'event.n > 1')) }),
  event: {},
  example: { name: 'news', type: 'wire' },
});
const compiler = new Compiler([...CATALOG, gate], [...TRIGGERS, wire]);

/** The codes and columns of what is wrong with a file of these lines. */
function mistakes(...lines: string[]): string[] {
  const { diagnostics } = compiler.compile({ file: 'a.yaml', text: ['dag_id: x', ...lines].join('\n') });
  return diagnostics.filter(({ severity }) => severity !== 'warning').map(({ code, line, column }) => `${code} ${line}:${column}`);
}
const task = (keys: string): string[] => ['tasks:', `  - {name: a, type: gate, ${keys}}`];
const branch = (on: string): string[] => [...task(`switch: {on: "${on}", cases: {x: [b]}}`), '  - {name: b, type: empty, depends_on: [a]}'];
const KAFKA = 'name: t, type: kafka, topic: x';

describe('where an expression is allowed, and what it has to return, follows from the schema of its key', () => {
  const places: readonly [place: string, wrong: string[], right: string[]][] = [
    ['when of a task', task('when: 1 + 1'), task('when: 1 > 0')],
    ['switch.on', branch('[1]'), branch("'x'")],
    ['expand.over', task('expand: {over: 1 + 1}'), task('expand: {over: "[1, 2]"}')],
    ['a parameter of a task type', task('opens: 1 + 1'), task('opens: reading > 1')],
    ['sla of a pipeline', ['sla: [{name: s, assert: 1 + 1}]', ...task('')], ['sla: [{name: s, assert: 1 > 0}]', ...task('')]],
    ['when of a trigger', [`triggers: [{${KAFKA}, when: 1 + 1}]`, ...task('')], [`triggers: [{${KAFKA}, when: event.n > 1}]`, ...task('')]],
    [
      'a key of a trigger type',
      ['triggers: [{name: t, type: wire, until: 1 + 1}]', ...task('')],
      ['triggers: [{name: t, type: wire, until: event.n > 1}]', ...task('')],
    ],
    [
      'having of a window',
      [`triggers: [{${KAFKA}, mode: {window: {size: 1h, aggregates: {n: count()}, having: n + 1}}}]`, ...task('')],
      [`triggers: [{${KAFKA}, mode: {window: {size: 1h, aggregates: {n: count()}, having: n > 1}}}]`, ...task('')],
    ],
  ];
  for (const [place, wrong, right] of places)
    it(place, () => {
      assert.match(mistakes(...wrong).join(), /^SL503 \d+:\d+$/);
      assert.deepEqual(mistakes(...right), []);
    });

  it('takes any value where the key asks for none', () => {
    assert.deepEqual(mistakes('max_active_runs: 3', 'concurrency: {limit: 1, key: 1 + 1}', ...task('')), []);
  });

  it('has no braces in expressions, has none in keys that a run cannot change, and any in texts for people', () => {
    assert.deepEqual(mistakes(...task('opens: "{{ reading > 1 }}"')), ['SL508 3:34']);
    assert.deepEqual(mistakes(...task('label: "{{ ds }}"')), []);
    assert.equal(mistakes(...task('queue: "{{ ds }}"')).length, 1);
    assert.deepEqual(mistakes('description: "{{ anything }}"', 'doc_md: "{{"', ...task('')), []);
    assert.deepEqual(mistakes('tags: ["{{ ds }}"]', ...task('')), ['SL508 2:8']);
  });

  it('reads what its key can read: its own output in switch, all outputs in sla, and no own output elsewhere', () => {
    assert.deepEqual(mistakes(...branch('outputs.a.side')), []);
    assert.deepEqual(mistakes('sla: [{name: s, assert: outputs.a.side == 1}]', ...task('')), []);
    assert.equal(mistakes(...task('when: outputs.a.side == 1')).length, 1);
  });
});
