import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

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

  const task = (keys: string): string => `tasks: [{name: t, ${keys}}]`;
  const watches = (type: string, keys: string): string => `triggers: [{name: t, type: ${type}, ${keys}}]`;
  for (const [title, pipelines, way] of [
    [
      'itself, by objects in S3',
      { a: `${watches('s3', 'bucket: lake')}\n${task('type: postgres_to_s3, source_table: t, s3_bucket: lake')}` },
      'a → s3://lake/a/t/ → a',
    ],
    [
      'itself, by objects under a prefix that has a date',
      {
        a: `${watches('s3', 'bucket: lake, prefix: "x/", pattern: "*.csv.gz"')}\n${task('type: postgres_to_s3, source_table: t, s3_bucket: lake, s3_key: "x/{{ ds }}/"')}`,
      },
      'a → s3://lake/x/ → a',
    ],
    [
      'itself, by a topic',
      { a: `${watches('kafka', 'topic: [other, news]')}\n${task('type: kafka_publish, topic: news, value: 1')}` },
      'a → Kafka topic news → a',
    ],
    [
      'two, by queues',
      {
        a: `${watches('rabbitmq', 'queue: q1')}\n${task('type: rabbitmq_publish, queue_name: q2, value: 1')}`,
        b: `${watches('rabbitmq', 'queue: q2')}\n${task('type: rabbitmq_publish, queue_name: q1, value: 1')}`,
      },
      'a → RabbitMQ queue q2 → b → RabbitMQ queue q1 → a',
    ],
    [
      'two, by a topic and runs',
      { a: `${after('b')}\n${task('type: kafka_publish, topic: news, value: 1')}`, b: watches('kafka', 'topic: news') },
      'a → Kafka topic news → b → a',
    ],
  ] as const) {
    it(`are refused with the places that they write to and watch: ${title}`, () => {
      const found = reported(pipelines);
      assert.equal(found.length, Object.keys(pipelines).length, found.join('\n'));
      const nodes = way.split(' → ').slice(0, -1);
      const turned = nodes.map((_, at) => [...nodes.slice(at), ...nodes.slice(0, at + 1)].join(' → '));
      for (const each of found) assert.ok(each.includes('SL307') && turned.some((one) => each.endsWith(`: ${one}.`)), each);
    });
  }

  it('are a warning where a condition may end the cycle', () => {
    const publish = task('type: kafka_publish, topic: news, value: 1');
    for (const condition of ['when: "event.n < 3"', 'dedup_key: event.id']) {
      assert.match(
        reported({ a: `${watches('kafka', `topic: news, ${condition}`)}\n${publish}` }).join(),
        /^a SL317 This pipeline starts itself, endlessly unless a condition stops it: a → Kafka topic news → a\.$/,
      );
    }
  });

  it('are a warning where an expression may lead elsewhere', () => {
    const copy = (key: string): string => task(`type: postgres_to_s3, source_table: t, s3_bucket: lake, s3_key: "${key}"`);
    assert.match(
      reported({ a: `${watches('s3', 'bucket: lake, prefix: in/')}\n${copy('{{ ds }}/out/')}` }).join(),
      /^a SL317 This pipeline starts itself, endlessly unless an expression gives another name: a → s3:\/\/lake\/ → a\.$/,
    );
    assert.match(reported({ a: `${watches('s3', 'bucket: lake')}\n${copy('{{ ds }}/out/')}` }).join(), /^a SL307 /);
  });

  it('are not those that watch another place: a topic, a connection, a prefix, other files', () => {
    const extract = task('type: postgres_to_s3, source_table: t, s3_bucket: lake, s3_key: out/');
    for (const pipeline of [
      `${watches('kafka', 'topic: others')}\n${task('type: kafka_publish, topic: news, value: 1')}`,
      `${watches('kafka', 'topic: news, conn_id: other_kafka')}\n${task('type: kafka_publish, topic: news, value: 1')}`,
      `${watches('s3', 'bucket: lake, prefix: in/')}\n${extract}`,
      `${watches('s3', 'bucket: other')}\n${extract}`,
      `${watches('s3', 'bucket: lake, pattern: "*.done"')}\n${extract}`,
    ])
      assert.deepEqual(reported({ a: pipeline }), []);
  });

  it('are each reported, where there are several cycles', () => {
    const found = reported({ a: after('a'), b: after('c'), c: after('b') });
    assert.deepEqual(
      found.map((each) => each.slice(0, 7)),
      ['a SL307', 'b SL307', 'c SL307'],
    );
  });

  it('are not those whose cycle waits for something else', () => {
    assert.deepEqual(reported({ a: `${on('all', 'x', 'y')}\n${makes('x')}`, b: `schedule_interval: "@daily"\n${makes('y')}` }), []);
    assert.deepEqual(reported({ a: makes('x'), b: `${on('any', 'x')}\n${makes('y')}`, c: `${on('all', 'x', 'y')}` }), []);
  });
});

describe('a trigger on datasets', () => {
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
      assert.match(reported({ a: `params: ${params}` }).join('; '), /^a SL508 The default of 'days?' does not accept expressions[^;]*$/);
    }
  });
});
