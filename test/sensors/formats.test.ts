import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { after, before, describe, it } from 'mocha';
import { Undecodable } from '../../lib/kafka/decode-record.ts';
import { registryDecoder } from '../../lib/kafka/registry-decoder.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { deadLetterTopic } from '../../sensors/kafka/dead-letters.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { TestSensors, unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

const VIEW: avsc.schema.RecordType = {
  type: 'record',
  name: 'ProductView',
  fields: [
    { name: 'product_id', type: 'long' },
    { name: 'score', type: 'double' },
  ],
};
const VIEW_2: avsc.schema.RecordType = { ...VIEW, fields: [...VIEW.fields, { name: 'category_id', type: 'string', default: 'unknown' }] };

/** A body after the number of its schema, as Confluent's clients write it. */
function framed(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

describe('formats through a Schema Registry', function () {
  this.timeout('2m');
  let registry: string;
  let sensors: TestSensors;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka', 'schema-registry']);
    registry = environment.SLUICE_SCHEMA_REGISTRY ?? '';
    kafka = await TestKafka.connect(environment);
    sensors = await TestSensors.start({
      ...environment,
      SLUICE_CONN_KAFKA_DEFAULT: `${environment.SLUICE_CONN_KAFKA_DEFAULT}/?schema_registry=${encodeURIComponent(registry)}`,
    });
  });
  after(async () => {
    await kafka.close();
    await sensors.close();
  });

  async function register(subject: string, schema: object | string, schemaType = 'AVRO', references: object[] = []): Promise<number> {
    const response = await fetch(`${registry}/subjects/${encodeURIComponent(subject)}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema: typeof schema === 'string' ? schema : JSON.stringify(schema), schemaType, references }),
    });
    assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
    return ((await response.json()) as { id: number }).id;
  }

  const decode = async (topic: string, value: Buffer | null): Promise<Json> =>
    registryDecoder(registry)({ topic, partition: 0, offset: '0', timestamp: '0', key: null, value, headers: {} });

  it('Avro: old records and new ones side by side, as the newest schema has them', async () => {
    const topic = `views-${unique()}`;
    const first = await register(`${topic}-value`, VIEW);
    const old = framed(first, avsc.Type.forSchema(VIEW).toBuffer({ product_id: 7, score: 0.9 }));
    assert.deepEqual(await decode(topic, old), { product_id: 7, score: 0.9 });
    const second = await register(`${topic}-value`, VIEW_2);
    assert.deepEqual(await decode(topic, old), { product_id: 7, score: 0.9, category_id: 'unknown' });
    const young = framed(second, avsc.Type.forSchema(VIEW_2).toBuffer({ product_id: 8, score: 1, category_id: 'books' }));
    assert.deepEqual(await decode(topic, young), { product_id: 8, score: 1, category_id: 'books' });
  });

  it('Avro: numbers beyond 2^53 stay what they are; bytes come as base64', async () => {
    const topic = `numbers-${unique()}`;
    const schema = {
      type: 'record',
      name: 'N',
      fields: [
        { name: 'n', type: 'long' },
        { name: 'b', type: 'bytes' },
      ],
    } as const;
    const id = await register(`${topic}-value`, schema);
    // -9007199254740993, as zig-zag.
    const big = Buffer.from([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
    assert.deepEqual(await decode(topic, framed(id, Buffer.concat([big, Buffer.from([4, 1, 2])]))), {
      n: { $number: '-9007199254740993' },
      b: 'AQI=',
    });
  });

  it('Protobuf: the message that a record names, with what others declare', async () => {
    const topic = `proto-${unique()}`;
    await register(`money-${topic}`, 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }', 'PROTOBUF');
    const text = `syntax = "proto3"; package shop; import "money.proto";
      message First { string a = 1; message Inner { int32 deep_value = 1; } } message View { int64 product_id = 1; Money price = 2; }`;
    const id = await register(`${topic}-value`, text, 'PROTOBUF', [{ name: 'money.proto', subject: `money-${topic}`, version: 1 }]);
    const root = new protobuf.Root();
    protobuf.parse('syntax = "proto3"; package shop; message Money { int64 cents = 1; }', root, { keepCase: true });
    protobuf.parse(text, root, { keepCase: true });
    const body = (name: string, value: object): Buffer => Buffer.from(root.lookupType(name).encode(value).finish());
    // The first is a single 0; others are so many indices, each as zig-zag.
    assert.deepEqual(await decode(topic, framed(id, Buffer.concat([Buffer.from([0]), body('shop.First', { a: 'x' })]))), { a: 'x' });
    const view = body('shop.View', { product_id: 7, price: { cents: 250 } });
    assert.deepEqual(await decode(topic, framed(id, Buffer.concat([Buffer.from([2, 2]), view]))), {
      product_id: 7,
      price: { cents: 250 },
    });
    const inner = body('shop.First.Inner', { deep_value: 3 });
    assert.deepEqual(await decode(topic, framed(id, Buffer.concat([Buffer.from([4, 0, 0]), inner]))), { deep_value: 3 });
  });

  it('JSON Schema: checked, with its defaults', async () => {
    const topic = `json-${unique()}`;
    const schema = { type: 'object', properties: { n: { type: 'integer' }, kind: { type: 'string', default: 'view' } }, required: ['n'] };
    const id = await register(`${topic}-value`, schema, 'JSON');
    assert.deepEqual(await decode(topic, framed(id, Buffer.from('{"n": 1}'))), { n: 1, kind: 'view' });
    await assert.rejects(decode(topic, framed(id, Buffer.from('{"n": "x"}'))), {
      name: 'Undecodable',
      message: /does not fit: \/n must be integer/,
    });
  });

  it('says why a record cannot be read', async () => {
    const topic = `bad-${unique()}`;
    const id = await register(`${topic}-value`, VIEW);
    const refused = (value: Buffer | null, message: RegExp): Promise<void> =>
      assert.rejects(decode(topic, value), (error: Error) => error instanceof Undecodable && message.test(error.message));
    await refused(null, /no value/);
    await refused(Buffer.from('{"n": 1}'), /does not begin with the number of a schema/);
    await refused(framed(999_999, Buffer.from([1])), /knows no schema 999999/);
    await refused(framed(id, Buffer.from([1])), /cannot be read with its schema/);
  });

  it('a registry that does not answer is not a mistake of the record', async () => {
    const server = createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const record = { topic: 't', partition: 0, offset: '0', timestamp: '0', key: null, value: framed(1, Buffer.from([1])), headers: {} };
    await assert.rejects(async () => registryDecoder(url)(record), { name: 'Error', message: /answers \/schemas\/ids\/1 with 500/ });
    server.close();
    await assert.rejects(async () => registryDecoder(url)(record), {
      name: 'Error',
      message: /does not answer: .*ECONNREFUSED/,
    });
  });

  it('a sensor reads them, and dead-letters what it cannot read', async () => {
    const topic = `views-${unique()}`;
    await kafka.createTopic(topic);
    const id = await register(`${topic}-value`, VIEW);
    const view = (score: number): Buffer => framed(id, avsc.Type.forSchema(VIEW).toBuffer({ product_id: 1, score }));
    await kafka.send(topic, [
      { value: view(0.9) },
      { value: 'x' },
      { value: framed(4242, Buffer.from([1])) },
      { value: view(0.1) },
      { value: view(1) },
    ]);
    const plan = sensors.plan({ type: 'kafka', when: 'event.score > 0.7', source: { topic, format: 'avro', start: 'earliest' } });
    await sensors.apply(plan);
    assert.deepEqual(await sensors.idsOf(plan, 2), [`${topic}-0-0`, `${topic}-0-4`]);
    await eventually(async () => {
      const reasons: string[] = [];
      const source = { topic: deadLetterTopic(plan.dagId, 'changes'), from: 'earliest', signal: new AbortController().signal } as const;
      await readTopic(kafka.kafka, source, ({ headers }) => reasons.push(headers['sluice-reason'] ?? '') > 0);
      assert.equal(reasons.length, 2);
      assert.match(reasons.join(), /number of a schema.*knows no schema 4242/);
    }, 20_000);
  });
});
