import assert from 'node:assert/strict';
import kafkajs from 'kafkajs';
import { after, before, describe, it } from 'mocha';
import { EventMatcher } from '../../sensors/events/event-matcher.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import { Evaluator } from '../../workflows/plan/expressions/evaluator.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { type TestSensors, unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';
import { compileYaml } from '../support/compile-yaml.ts';
import { startYamlSensors } from '../support/yaml-sensors.ts';

// Node does not see this name among those of the CommonJS module.
const { CompressionTypes } = kafkajs;

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const many = (from: number): string => Array.from({ length: 60_000 }, (_, n) => from + n).join();

describe('who writes to a topic', function () {
  this.timeout('3m');
  let sensors: TestSensors;
  let kafka: TestKafka;
  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka']);
    kafka = await TestKafka.connect(environment);
    sensors = await startYamlSensors(environment);
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
  });

  it('wedges no sensor: what fails over an event makes it invalid, and the next ones start their runs', async () => {
    const topic = `wedge-${unique()}`;
    await kafka.createTopic(topic, 1, { 'message.timestamp.after.max.ms': '9223372036854775807' });
    const now = Date.now();
    const good = '{"score": 0.9}';
    const bad: { readonly value: string; readonly timestamp?: string }[] = [
      { value: `{"score": 0.9, "deep": ${nested(5_000)}}` },
      { value: `{"score": 0.9, "deep": ${nested(150)}}` },
      { value: `{"score": ${nested(5_000)}}` },
      { value: `{"score": ${'9'.repeat(500_000)}}` },
      { value: good, timestamp: String(Date.parse('9999-01-01T00:00:00Z')) },
      { value: good, timestamp: String(now + 3 * 24 * 3_600_000) },
      { value: good, timestamp: '1' },
      { value: `{"score": 0.9, "tags": [${many(0)}], "blocked": [${many(1_000_000)}]}` },
      { value: '{"score": "\\ud800"}' },
    ];
    const plan = compileYaml(`
dag_id: wedge_${unique()}
schedule_interval: "@daily"
triggers:
  - {name: m, type: kafka, topic: ${topic}, when: "event.score > 0.5 && !(has(event.tags) && event.tags.exists(t, t in event.blocked))", start: earliest}
tasks: [{name: a, type: empty}]
`);
    for (const record of bad) await kafka.send(topic, [record, { value: good }]);
    await kafka.send(topic, [{ value: '{"score": 0.9, "\\ud800": 1, "\\udc00": 2}' }]);
    const began = performance.now();
    await sensors.apply(plan);
    const ids = await sensors.idsOf(plan, bad.length + 1);
    assert.ok(performance.now() - began < 60_000);
    assert.deepEqual(ids.sort(), [...bad.map((_, index) => `${topic}-0-${2 * index + 1}`), `${topic}-0-${2 * bad.length}`].sort());
    await eventually(async () => {
      const { reports } = await sensors.stateOf(plan);
      assert.deepEqual([reports[0]?.counts.invalid, reports[0]?.problem], [bad.length, undefined]);
    }, 40_000);
  });

  it('blocks no batch: what can be in no run is invalid alone, and the others start theirs', async () => {
    const topic = `batches-${unique()}`;
    await kafka.createTopic(topic);
    const good = '{"score": 0.9, "segment": "a"}';
    const bad: { readonly value: string; readonly timestamp?: string }[] = [
      { value: `{"score": 0.9, "segment": "${'a'.repeat(300_000)}"}` },
      { value: `{"score": 0.9, "segment": "a", "deep": ${nested(98)}}` },
      { value: `{"score": 0.9, "segment": "a", "deep": ${nested(5_000)}}` },
      { value: '{"score": 0.9}' },
      { value: '{"score": 0.9, "segment": 7}' },
      { value: good, timestamp: '1' },
    ];
    const plan = compileYaml(`
dag_id: batches_${unique()}
schedule_interval: "@daily"
params: {segment: ""}
triggers:
  - name: m
    type: kafka
    topic: ${topic}
    when: event.score > 0.5
    mode: {batch: {max_records: 1, within: 1s}}
    params: {segment: "{{ event.records[0].segment }}"}
    start: earliest
tasks: [{name: a, type: empty}]
`);
    for (const record of bad) await kafka.send(topic, [{ value: good }, record]);
    await kafka.send(topic, [{ value: good }]);
    await sensors.apply(plan);
    const ids = await sensors.idsOf(plan, bad.length + 1);
    assert.deepEqual(ids.sort(), [...bad.map((_, index) => `${topic}-0-${2 * index}`), `${topic}-0-${2 * bad.length}`].sort());
    await eventually(async () => {
      const { reports } = await sensors.stateOf(plan);
      assert.deepEqual([reports[0]?.counts.invalid, reports[0]?.problem], [bad.length, undefined]);
    }, 40_000);
  });

  it('chooses no id of another event: values of two types, of two triggers, and places in topics are apart', async () => {
    const [topic, otherTopic] = [`ids-${unique()}`, `other-${unique()}`];
    await kafka.createTopic(topic);
    await kafka.createTopic(otherTopic);
    const plan = compileYaml(`
dag_id: ids_${unique()}
schedule_interval: null
triggers:
  - {name: m, type: kafka, topic: ${topic}, dedup_key: event.id, start: earliest}
  - {name: other, type: kafka, topic: ${otherTopic}, start: earliest}
tasks: [{name: a, type: empty}]
`);
    const keys: Json[] = [
      null,
      'null',
      1,
      '1',
      true,
      'true',
      '..',
      '../..',
      '\u001b[2J',
      'x'.repeat(1_500),
      'ü',
      `${otherTopic}-0-0`,
      '~other~1',
    ];
    const events = [...keys.map((id) => JSON.stringify({ id })), '{"id": "\\ud800"}', '{"id": "\\udc00"}', '{"id": "\\ufffd"}'];
    await kafka.send(
      topic,
      [...events, ...events].map((value) => ({ value })),
    );
    await sensors.apply(plan);
    await sensors.runsOf(plan, events.length);
    await kafka.send(otherTopic, [{ value: '{"id": 1}' }]);
    const { client, taskQueue } = sensors.worker;
    const other = sensorId(plan.dagId, 'other');
    await applySensorChange(client, { id: other, action: 'start', plan, trigger: 'other' }, taskQueue);
    try {
      const ids = await sensors.idsOf(plan, events.length + 1);
      assert.ok(ids.includes(`${otherTopic}-0-0`), 'the record of the other topic has its run');
      for (const id of ids) assert.ok(/^[\x20-\x7e]{1,400}$/.test(id) && !/(^|\/)\.\.?(\/|$)/.test(id), JSON.stringify(id));
    } finally {
      await applySensorChange(client, { id: other, action: 'stop' }, taskQueue);
    }
  });

  it('gets no second run for an event of an older release, whose ids distinguished fewer', async () => {
    const topic = `older-${unique()}`;
    await kafka.createTopic(topic);
    const plan = compileYaml(`
dag_id: older_${unique()}
schedule_interval: null
triggers: [{name: m, type: kafka, topic: ${topic}, dedup_key: event.id, start: earliest}]
tasks: [{name: a, type: empty}]
`);
    const { client, taskQueue } = sensors.worker;
    const event = { value: { id: '1' }, meta: { timestamp: '2026-01-01T00:00:00Z' } };
    const starts = createSensorStarts(client, taskQueue);
    assert.equal(await starts.start({ plan, cause: 'kafka', id: '1', params: {}, event }), 'started');
    await kafka.send(topic, [{ value: '{"id": "1"}' }, { value: '{"id": "2"}' }, { value: '{"id": 2}' }, { value: '{"id": "2"}' }]);
    await sensors.apply(plan);
    assert.deepEqual((await sensors.idsOf(plan, 3)).sort(), ['"2"', '1', '2']);
  });

  it('fills no memory: a batch that is too large when it is decompressed is invalid, and the next one is read', async () => {
    const topic = `bomb-${unique()}`;
    await kafka.createTopic(topic, 1, { 'max.message.bytes': '2000000' });
    const plan = compileYaml(`
dag_id: bomb_${unique()}
schedule_interval: null
triggers: [{name: m, type: kafka, topic: ${topic}, start: earliest, on_invalid: skip}]
tasks: [{name: a, type: empty}]
`);
    const producer = kafka.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const bomb = Buffer.alloc(40 * 1024 * 1024, ' ');
    bomb.write('{}');
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: [{ value: bomb }, { value: bomb }] });
    await producer.send({ topic, messages: [{ value: '{}' }] });
    await producer.disconnect();
    await sensors.apply(plan);
    assert.deepEqual(await sensors.idsOf(plan, 1), [`${topic}-0-2`]);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports[0]?.counts.invalid, 2), 40_000);
  });

  it('leads no request to another path', () => {
    const evaluator = new Evaluator();
    const path = (template: string, event: Json): Json => evaluator.render(template, { event }, 'url');
    assert.equal(path('/users/{{ event.id }}/x', { id: 'a/b' }), '/users/a%2Fb/x');
    for (const [template, event] of [
      // Servers may decode before they look.
      ['/users/{{ event.id }}/x', { id: 'a/../b' }],
      ['/users/{{ event.id }}/x', { id: '..' }],
      ['/users/{{ event.id }}', { id: '.' }],
      ['/users/{{ event.a }}{{ event.a }}?q=1', { a: '.' }],
      ['{{ event.id }}/x', { id: '..' }],
    ] as const) {
      assert.throws(() => path(template, event), /would lead to another path/, template);
    }
  });

  it('is matched without an exception, for any event', () => {
    const plan = compileYaml(`
dag_id: judged
schedule_interval: "@daily"
triggers: [{name: m, type: kafka, topic: t, when: event.a != null, dedup_key: event.a, params: {x: "{{ event.a }}"}}]
params: {x: ""}
tasks: [{name: a, type: empty}]
`);
    const [trigger] = plan.triggers ?? [];
    assert.ok(trigger);
    const matcher = new EventMatcher(plan, trigger);
    const timestamp = '2026-01-01T00:00:00Z';
    const throwing = {
      value: {},
      get meta(): never {
        throw new TypeError('boom');
      },
    };
    assert.deepEqual(matcher.match(throwing), { kind: 'invalid', reason: 'The event cannot be handled: boom' });
    for (const time of ['', 'soon', '1969-12-31T00:00:00Z', '1970-01-01T12:00:00Z', '9999-12-31T23:59:59Z', '+010000-01-01T00:00:00Z']) {
      assert.equal(matcher.match({ value: { a: 'b' }, meta: { timestamp: time } }).kind, 'invalid', time);
    }
    assert.equal(matcher.match({ value: { a: 'b' }, meta: { timestamp } }).kind, 'run');
  });
});
