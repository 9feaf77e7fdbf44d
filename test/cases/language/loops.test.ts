import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';

const compiler = new Compiler(CATALOG);

/** What is reported of pipelines, given by their keys beside `dag_id` and `tasks`: `file code message`. */
function reported(pipelines: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(pipelines).map(([name, keys]) => ({
    file: name,
    text: `dag_id: ${name}\n${keys}${keys.includes('tasks:') ? '' : '\ntasks: [{name: t, type: empty}]'}`,
  }));
  return compiler
    .compileAll(files)
    .flatMap(({ file, diagnostics }) =>
      diagnostics.filter(({ code }) => code !== 'SL405').map(({ code, message }) => `${file} ${code} ${message}`),
    );
}

const on = (key: string, ...uris: readonly string[]): string =>
  `triggers: [{name: t, type: dataset, ${key}: [${uris.map((uri) => `"s3://lake/${uri}"`).join(', ')}]}]`;
const makes = (...uris: readonly string[]): string => `outlets: [${uris.map((uri) => `"s3://lake/${uri}"`).join(', ')}]`;
const after = (dagId: string): string => `triggers: [{name: t, type: pipeline, dag_id: ${dagId}}]`;
const starts = (dagId: string): string => `tasks: [{name: t, type: run_pipeline, dag_id: ${dagId}}]`;

describe('pipelines that start each other without end', () => {
  for (const [title, pipelines, way] of [
    ['itself, by a data set', { a: `${on('any', 'x')}\n${makes('x')}` }, 'a → s3://lake/x → a'],
    ['itself, by all of its data sets', { a: `${on('all', 'x', 'y')}\n${makes('x', 'y')}` }, 'a → s3://lake/x → a'],
    ['itself, by its runs', { a: after('a') }, 'a → a'],
    ['itself, by a task', { a: starts('a') }, 'a → a'],
    [
      'two, by data sets',
      { a: `${on('any', 'y')}\n${makes('x')}`, b: `${on('any', 'x')}\n${makes('y')}` },
      'a → s3://lake/x → b → s3://lake/y → a',
    ],
    ['two, by their runs', { a: after('b'), b: after('a') }, 'a → b → a'],
    [
      'three, by a task, a data set and a trigger on runs',
      { a: `${after('c')}\n${starts('b')}`, b: makes('x'), c: on('any', 'x') },
      'a → b → s3://lake/x → c → a',
    ],
  ] as const) {
    it(`are refused with their path: ${title}`, () => {
      const found = reported(pipelines);
      assert.ok(found.length > 0 && found.length <= Object.keys(pipelines).length, JSON.stringify(found));
      const [first = '', ...nodes] = way.split(' → ').slice(0, -1);
      const turned = [first, ...nodes].map((_, at, all) => [...all.slice(at), ...all.slice(0, at + 1)].join(' → '));
      for (const each of found) assert.ok(each.includes('SL307') && turned.some((one) => each.endsWith(`: ${one}.`)), each);
    });
  }

  it('are each told, where there are several circles', () => {
    const found = reported({ a: after('a'), b: after('c'), c: after('b') });
    assert.deepEqual(
      found.map((each) => each.slice(0, 7)),
      ['a SL307', 'b SL307', 'c SL307'],
    );
  });

  it('are not those whose circle waits for something else', () => {
    assert.deepEqual(reported({ a: `${on('all', 'x', 'y')}\n${makes('x')}`, b: `schedule_interval: "@daily"\n${makes('y')}` }), []);
    assert.deepEqual(reported({ a: makes('x'), b: `${on('any', 'x')}\n${makes('y')}`, c: `${on('all', 'x', 'y')}` }), []);
  });
});

describe('a trigger on data sets', () => {
  it('says any or all of them', () => {
    const two = 'triggers: [{name: t, type: dataset, any: ["s3://lake/a"], all: ["s3://lake/b"]}]';
    assert.deepEqual(reported({ a: two }), ["a SL208 'all' and 'any' exclude each other."]);
    assert.deepEqual(reported({ a: 'triggers: [{name: t, type: dataset}]' }), ['a SL208 One of any, all is missing in this trigger.']);
  });
});

describe('the default of a parameter', () => {
  it('takes no expression', () => {
    for (const params of [
      '{day: "{{ ds }}"}',
      '{day: {type: string, default: "{{ params.x }}"}}',
      '{days: {type: array, default: [a, "{{ ds }}"]}}',
    ]) {
      assert.match(reported({ a: `params: ${params}` }).join('; '), /^a SL508 The default of 'days?' takes no expression[^;]*$/);
    }
  });
});
