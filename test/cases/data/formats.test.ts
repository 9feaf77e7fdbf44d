import assert from 'node:assert/strict';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { after, before, describe, it } from 'mocha';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

/** A body after the number of its schema, as Confluent's clients write it. */
function framed(id: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

describe('records in Avro and Protobuf', function () {
  this.timeout('3m');
  let registry: string;
  let sensors: TestSensors;
  let kafka: TestKafka;
  let database: TestDatabase;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['temporal', 'postgres', 'kafka', 'schema-registry']);
    registry = environment.SLUICE_SCHEMA_REGISTRY ?? '';
    database = await createDatabase();
    await database.rows('CREATE TABLE got (way text, id numeric, amount numeric, at timestamptz)');
    const own = {
      ...environment,
      SLUICE_CONN_POSTGRES_DEFAULT: database.url,
      SLUICE_CONN_KAFKA_DEFAULT: `${environment.SLUICE_CONN_KAFKA_DEFAULT}/?schema_registry=${encodeURIComponent(registry)}`,
    };
    kafka = await TestKafka.connect(own);
    sensors = await startYamlSensors(own);
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
    await database.drop();
  });

  async function register(subject: string, schema: string, schemaType: string): Promise<number> {
    const response = await fetch(`${registry}/subjects/${encodeURIComponent(subject)}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema, schemaType }),
    });
    assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
    return ((await response.json()) as { id: number }).id;
  }

  /** What a pipeline writes down of these records. */
  async function rowsOf(format: string, topic: string, values: readonly Buffer[]): Promise<unknown[]> {
    await kafka.createTopic(topic);
    await kafka.send(
      topic,
      values.map((value) => ({ value })),
    );
    const plan = compileYaml(`
dag_id: ${format}_${unique()}
triggers:
  - name: ev
    type: kafka
    topic: ${topic}
    format: ${format}
    start: earliest
    when: event.x > 0.1 && event.order_id > 0
    dedup_key: event.order_id
    params: {order_id: "{{ event.order_id }}", amount: "{{ event.amount }}", at: "{{ event.at }}"}
params: {order_id: {type: integer}, amount: {type: number}, at: {type: string, format: date-time}}
tasks:
  - {name: put, type: sql, when: event.amount > 1 && timestamp(event.at) >= timestamp('2024-01-01T00:00:00Z'), sql: "INSERT INTO got VALUES ('${format}', {{ params.order_id }}, {{ params.amount }}, {{ params.at }})"}
`);
    await sensors.apply(plan);
    return eventually(async () => {
      const rows = await database.rows<{ id: string }>(
        "SELECT id::text, amount::text, at = timestamptz '2024-01-01 00:00:00.000001+00' AS at FROM got WHERE way = $1 ORDER BY got.id",
        [format],
      );
      assert.equal(rows.length, 2, JSON.stringify(await sensors.stateOf(plan)));
      return rows;
    }, 60_000);
  }

  const expected = ['9007199254740992', '9007199254740993'].map((id) => ({ id, amount: '12345678901234567.89', at: true }));
  const ids = [9007199254740992n, 9007199254740993n];
  const amount = Buffer.from(1234567890123456789n.toString(16), 'hex');

  it('Avro: long, decimal, timestamp and a union of float and double', async () => {
    const topic = `orders-${unique()}`;
    const schema = {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'order_id', type: 'long' },
        { name: 'x', type: ['null', 'float', 'double'] },
        { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 } },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      ],
    } as const;
    // avsc writes no whole numbers beyond 2^53: zig-zag varints by hand.
    const varint = (value: bigint): Buffer => {
      const bytes: number[] = [];
      let rest = value * 2n;
      for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
      return Buffer.from([...bytes, Number(rest)]);
    };
    const rest = avsc.Type.forSchema({ ...schema, fields: schema.fields.slice(1) } as unknown as avsc.Schema, { wrapUnions: 'always' });
    const id = await register(`${topic}-value`, JSON.stringify(schema), 'AVRO');
    const branches = [{ double: 0.2 }, { float: 0.5 }];
    const values = ids.map((order, index) =>
      framed(id, Buffer.concat([varint(order), rest.toBuffer({ x: branches[index], amount, at: 1_704_067_200_000_001 })])),
    );
    assert.deepEqual(await rowsOf('avro', topic, values), expected);
  });

  it('Protobuf: int64, and types that every compiler has', async () => {
    const topic = `orders-${unique()}`;
    const decimal =
      'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }';
    const text = `syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "confluent/type/decimal.proto";
      message Order { int64 order_id = 1; google.protobuf.DoubleValue x = 2; confluent.type.Decimal amount = 3; google.protobuf.Timestamp at = 4; }`;
    const root = new protobuf.Root();
    for (const name of ['timestamp', 'wrappers']) root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)?.nested ?? {});
    protobuf.parse(decimal, root, { keepCase: true });
    protobuf.parse(text, root, { keepCase: true });
    const type = root.lookupType('shop.Order');
    const id = await register(`${topic}-value`, text, 'PROTOBUF');
    const values = ids.map((order) => {
      const order_id = order.toString();
      const message = { order_id, x: { value: 0.2 }, amount: { value: amount, scale: 2 }, at: { seconds: 1_704_067_200, nanos: 1_000 } };
      return framed(id, Buffer.concat([Buffer.from([0]), type.encode(type.fromObject(message)).finish()]));
    });
    assert.deepEqual(await rowsOf('protobuf', topic, values), expected);
  });
});
