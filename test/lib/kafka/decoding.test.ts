import assert from 'node:assert/strict';
import avsc from 'avsc';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import protobuf from 'protobufjs';
import { avroReader } from '../../../lib/kafka/decoding/avro-reader.ts';
import { jsonSchemaReader } from '../../../lib/kafka/decoding/json-schema-reader.ts';
import { protobufReader } from '../../../lib/kafka/decoding/protobuf-reader.ts';
import { numberOf, parseExactJson } from '../../../workflows/plan/values/exact-json.ts';
import { Evaluator } from '../../../workflows/plan/expressions/evaluator.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { caseCount } from '../../support/random-cases.ts';

/** Writes whole numbers of 64 bits, which avsc alone does not. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: () => 0,
});
/** Made once for each schema. */
function once<T>(create: (schema: string) => T): (schema: string) => T {
  const made = new Map<string, T>();
  return (schema) => {
    const known = made.get(schema) ?? create(schema);
    made.set(schema, known);
    return known;
  };
}

const avroType = once((schema) =>
  avsc.Type.forSchema(
    JSON.parse(schema) as avsc.Schema,
    {
      registry: { long: LONG },
      wrapUnions: 'always',
      typeHook: (each: unknown) => ((each as { type?: unknown } | null)?.type === 'long' ? LONG : undefined),
    } as never,
  ),
);
const readAvro = once((schema) => avroReader([schema]));
const write = (schema: unknown, value: unknown): Buffer => avroType(JSON.stringify(schema)).toBuffer(value);
const avro = (schema: unknown, value: unknown): Json => readAvro(JSON.stringify(schema))(write(schema, value));

const protoRoot = once((schema) => {
  const root = new protobuf.Root();
  for (const name of ['timestamp', 'duration', 'wrappers', 'struct', 'any', 'field_mask', 'empty'])
    root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)?.nested ?? {});
  protobuf.parse(
    'syntax = "proto3"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }',
    root,
  );
  protobuf.parse(schema, root, { keepCase: true });
  return root;
});
const readProto = once((schema) => protobufReader(schema, []));

/** A record of the first message of a schema. */
function proto(schema: string, message: string, value: object): Json {
  const type = protoRoot(schema).lookupType(message);
  return readProto(schema)(Buffer.concat([Buffer.from([0]), type.encode(type.fromObject(value)).finish()]));
}

/** Big-endian two's complement. */
function bytesOf(value: bigint): Buffer {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  );
}

const ORDER_AVRO = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'count', type: 'int' },
    { name: 'price', type: 'double' },
    { name: 'weight', type: 'float' },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 40, scale: 4 } },
    { name: 'paid', type: 'boolean' },
    { name: 'name', type: 'string' },
    { name: 'picture', type: 'bytes' },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'SENT'] } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'stock', type: { type: 'map', values: 'long' } },
    { name: 'marks', type: { type: 'array', items: 'double' } },
    { name: 'customer', type: ['null', { type: 'record', name: 'Customer', fields: [{ name: 'id', type: 'long' }] }] },
  ],
};
const ORDER_PROTO = `syntax = "proto3"; package shop;
  import "google/protobuf/timestamp.proto"; import "confluent/type/decimal.proto"; import "confluent/meta.proto";
  enum State { NEW = 0; SENT = 1; }
  message Order { int64 id = 1; int32 count = 2; double price = 3; float weight = 4; confluent.type.Decimal amount = 5; bool paid = 6; string name = 7;
    bytes picture = 8; State state = 9; google.protobuf.Timestamp at = 10; map<string, int64> stock = 11; repeated double marks = 12; Customer customer = 13; }
  message Customer { int64 id = 1; }`;

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ unit: 'grapheme' });
const order = fc.record({
  id: long,
  count: fc.integer(),
  price: double,
  weight: fc.float({ noNaN: true, noDefaultInfinity: true }),
  amount: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  paid: fc.boolean(),
  name: text,
  picture: fc.uint8Array({ maxLength: 8 }),
  state: fc.constantFrom('NEW', 'SENT'),
  at: fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
  stock: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), long, { maxKeys: 3, noNullPrototype: true }),
  marks: fc.array(double, { maxLength: 3 }),
  customer: fc.option(fc.record({ id: long }), { nil: null }),
});

/** `scale` digits behind the point. */
function pointed(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
function isoOf(micros: bigint): string {
  const [ms, rest] = [micros >= 0n ? micros / 1000n : -((-micros + 999n) / 1000n), ((micros % 1000n) + 1000n) % 1000n];
  const iso = new Date(Number(ms)).toISOString();
  return rest === 0n ? iso.replace('.000Z', 'Z') : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

describe('formats of records', () => {
  it('the same values are the same event in JSON, Avro and Protobuf', () => {
    fc.assert(
      fc.property(order, (value) => {
        const { id, amount, at, stock, customer, picture } = value;
        const list = Object.entries(stock).map(([key, count]) => `${JSON.stringify(key)}: ${count}`);
        const json = `{"id": ${id}, "count": ${value.count}, "price": ${JSON.stringify(value.price)}, "weight": ${JSON.stringify(value.weight)},
          "amount": ${pointed(amount, 4)}, "paid": ${value.paid}, "name": ${JSON.stringify(value.name)},
          "picture": ${JSON.stringify(Buffer.from(picture).toString('base64'))}, "state": "${value.state}", "at": "${isoOf(at)}", "stock": {${list.join()}},
          "marks": ${JSON.stringify(value.marks)}, "customer": ${customer === null ? 'null' : `{"id": ${customer.id}}`}}`;
        const expected = JSON.parse(JSON.stringify(parseExactJson(json))) as Json;
        const inAvro = {
          ...value,
          amount: bytesOf(amount),
          picture: Buffer.from(picture),
          customer: customer && { 'shop.Customer': customer },
        };
        assert.deepEqual(avro(ORDER_AVRO, inAvro), expected);
        const seconds = (at - (((at % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
        const inProto = {
          ...value,
          id: id.toString(),
          amount: { value: bytesOf(amount), scale: 4 },
          at: { seconds: seconds.toString(), nanos: Number(at - seconds * 1_000_000n) * 1000 },
          stock: Object.fromEntries(Object.entries(stock).map(([key, count]) => [key, count.toString()])),
          ...(customer ? { customer: { id: customer.id.toString() } } : { customer: undefined }),
        };
        assert.deepEqual(proto(ORDER_PROTO, 'shop.Order', inProto), expected);
      }),
      { numRuns: caseCount(300), seed: 9 },
    );
  });

  it('Avro: a union of float and double is a number, and others are what they hold', () => {
    const event = avro(
      {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'x', type: ['null', 'float', 'double'] },
          { name: 'y', type: ['null', 'float', 'double'] },
          { name: 'z', type: ['int', 'long', 'string', { type: 'record', name: 'P', fields: [{ name: 'x', type: ['null', 'long'] }] }] },
          { name: 'list', type: { type: 'array', items: ['null', 'double', 'float'] } },
        ],
      },
      { x: { double: 0.2 }, y: { float: 0.5 }, z: { P: { x: { long: 9007199254740993n } } }, list: [{ float: 0.25 }, null, { double: 1 }] },
    );
    assert.deepEqual(event, { x: 0.2, y: 0.5, z: { x: { $number: '9007199254740993' } }, list: [0.25, null, 1] });
    const evaluator = new Evaluator();
    for (const source of ['event.x > 0.1', 'event.y >= 0.5', 'event.z.x == 9007199254740993', 'event.list[0] < 1'])
      assert.equal(evaluator.evaluate(source, { event }), true, source);
  });

  it('Avro: logical types have one form each; what has none stays what was written', () => {
    const fixed = (name: string, size: number, logicalType: string, more: object = {}): object => ({
      type: 'fixed',
      name,
      size,
      logicalType,
      ...more,
    });
    const cases: readonly (readonly [schema: object | string, value: unknown, expected: Json])[] = [
      [{ type: 'int', logicalType: 'date' }, 19_723, '2024-01-01'],
      [{ type: 'int', logicalType: 'date' }, -719_163, -719_163],
      [{ type: 'int', logicalType: 'time-millis' }, 43_200_001, '12:00:00.001'],
      [{ type: 'long', logicalType: 'time-micros' }, 43_200_000_000n, '12:00:00'],
      [{ type: 'long', logicalType: 'timestamp-millis' }, -1n, '1969-12-31T23:59:59.999Z'],
      [{ type: 'long', logicalType: 'timestamp-millis' }, 2n ** 62n, numberOf(String(2n ** 62n))],
      [{ type: 'long', logicalType: 'timestamp-micros' }, 1_704_067_200_000_001n, '2024-01-01T00:00:00.000001Z'],
      [{ type: 'long', logicalType: 'timestamp-nanos' }, 1_704_067_200_000_000_001n, '2024-01-01T00:00:00.000000001Z'],
      [{ type: 'long', logicalType: 'local-timestamp-millis' }, 1_704_067_200_500n, '2024-01-01T00:00:00.500'],
      [{ type: 'string', logicalType: 'uuid' }, '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
      [fixed('U', 16, 'uuid'), Buffer.from('123e4567e89b12d3a456426614174000', 'hex'), '123e4567-e89b-12d3-a456-426614174000'],
      [fixed('D', 12, 'duration'), Buffer.from('01000000020000000c0b0000', 'hex'), 'P1M2DT2.828S'],
      [fixed('D', 12, 'duration'), Buffer.alloc(12), 'PT0S'],
      [fixed('N', 4, 'decimal', { precision: 9, scale: 2 }), Buffer.from('fffffb2e', 'hex'), -12.34],
      [{ type: 'bytes', logicalType: 'decimal', precision: 4 }, Buffer.from([0x7b]), 123],
      [
        { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 },
        bytesOf(12345678901234567890n),
        { $number: '123456789012345678.90' },
      ],
      [{ type: 'string', logicalType: 'made-up' }, 'x', 'x'],
      [{ type: 'long', logicalType: 'date' }, 5n, 5],
      ['double', NaN, 'NaN'],
      ['double', -Infinity, '-Infinity'],
      ['bytes', Buffer.from([1, 2]), 'AQI='],
    ];
    for (const [schema, value, expected] of cases) {
      const record = {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'v', type: schema },
          { name: 'w', type: ['null', schema] },
        ],
      };
      const branch =
        typeof schema === 'string' ? schema : 'name' in schema ? String(schema.name) : String((schema as { type: string }).type);
      // A named type is declared once.
      const schemaOf =
        typeof schema === 'object' && 'name' in schema
          ? { ...record, fields: [record.fields[0], { name: 'w', type: ['null', schema.name] }] }
          : record;
      assert.deepEqual(avro(schemaOf, { v: value, w: { [branch]: value } }), { v: expected, w: expected }, JSON.stringify(schema));
    }
  });

  it('Avro: records written before the schema moved, grew or changed past recognition are read', () => {
    const old = {
      type: 'record',
      name: 'View',
      namespace: 'a',
      fields: [
        { name: 'id', type: 'long' },
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['X'] } },
      ],
    };
    const grown = {
      ...old,
      namespace: 'b.c',
      fields: [...old.fields, { name: 'more', type: ['null', 'long'], default: null }, { name: 'n', type: 'long', default: 7 }],
    };
    const other = { type: 'record', name: 'Other', fields: [{ name: 'id', type: { type: 'array', items: 'int' } }] };
    const body = write(old, { id: 9007199254740993n, kind: 'X' });
    const read = (newest: object): Json => avroReader([JSON.stringify(old)], [JSON.stringify(newest)])(body);
    assert.deepEqual(read(grown), { id: { $number: '9007199254740993' }, kind: 'X', more: null, n: 7 });
    assert.deepEqual(read(other), { id: { $number: '9007199254740993' }, kind: 'X' });
    const int = { ...old, fields: [{ name: 'id', type: 'int' }] };
    const wide = { ...old, fields: [{ name: 'id', type: ['null', 'double', 'long'] }] };
    assert.deepEqual(avroReader([JSON.stringify(int)], [JSON.stringify(wide)])(write(int, { id: 5 })), { id: 5 });
  });

  it('Protobuf: well-known types, maps, oneofs, enums, bytes and defaults', () => {
    const schema = `syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto";
      import "google/protobuf/struct.proto"; import "google/protobuf/field_mask.proto"; import "google/protobuf/empty.proto"; import "google/protobuf/any.proto";
      import "google/protobuf/descriptor.proto"; import "google/api/annotations.proto"; import "buf/validate/validate.proto";
      message M { google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.Int64Value big = 3; google.protobuf.StringValue word = 4;
        google.protobuf.Struct doc = 5; google.protobuf.FieldMask mask = 6; google.protobuf.Empty empty = 7; google.protobuf.Any any = 8;
        map<int64, E> kinds = 9; map<uint64, int32> counts = 10; oneof one { int32 a = 11; string b = 12; } optional int32 may = 13; E kind = 14; uint64 huge = 15;
        bytes raw = 16; repeated google.protobuf.Timestamp all = 17; bool yes = 18; google.protobuf.Value value = 19; fixed64 f = 20; google.protobuf.BoolValue flag = 21; }
      enum E { ZERO = 0; ONE = 1; }`;
    const zero = { kinds: {}, counts: {}, kind: 'ZERO', huge: 0, raw: '', all: [], yes: false, f: 0 };
    const none = { at: null, took: null, big: null, word: null, doc: null, mask: null, empty: null, any: null, value: null, flag: null };
    assert.deepEqual(proto(schema, 'M', {}), { ...zero, ...none });
    assert.deepEqual(
      proto(schema, 'M', {
        at: { seconds: '1704067200', nanos: 500_000_000 },
        took: { seconds: -1, nanos: -500_000_000 },
        big: { value: '9007199254740993' },
        word: {},
        doc: {
          fields: {
            n: { numberValue: 1.5 },
            list: { listValue: { values: [{ nullValue: 0 }, { boolValue: true }, { stringValue: 'x' }] } },
          },
        },
        mask: { paths: ['a', 'b.c'] },
        empty: {},
        kinds: { '-9007199254740993': 1, '7': 5 },
        counts: { '18446744073709551615': 3 },
        b: '',
        may: 0,
        kind: 1,
        huge: '18446744073709551615',
        raw: Buffer.from([1, 2]),
        all: [{ seconds: 0 }],
        yes: true,
        value: { structValue: { fields: {} } },
        f: '9007199254740993',
        flag: { value: true },
      }),
      {
        ...none,
        at: '2024-01-01T00:00:00.500Z',
        took: '-1.500s',
        big: { $number: '9007199254740993' },
        word: '',
        doc: { n: 1.5, list: [null, true, 'x'] },
        mask: 'a,b.c',
        empty: {},
        kinds: { '-9007199254740993': 'ONE', 7: 5 },
        counts: { '18446744073709551615': 3 },
        b: '',
        may: 0,
        kind: 'ONE',
        huge: { $number: '18446744073709551615' },
        raw: 'AQI=',
        all: ['1970-01-01T00:00:00Z'],
        yes: true,
        value: {},
        f: { $number: '9007199254740993' },
        flag: true,
      },
    );
    assert.throws(
      () => protobufReader('syntax = "proto3"; import "a/b.proto"; message M { B b = 1; }', []),
      /no such .*'B'.*imports a\/b\.proto, which the registry has no reference for/s,
    );
  });

  it('JSON Schema: checked as doubles, read as written', () => {
    const read = jsonSchemaReader(
      JSON.stringify({
        type: 'object',
        properties: { id: { type: 'integer' }, list: { items: { type: 'number' } }, kind: { default: 'view' } },
        required: ['id'],
      }),
      [],
    );
    assert.deepEqual(read(Buffer.from('{"id": 9007199254740993, "list": [1e400, 1]}')), {
      id: { $number: '9007199254740993' },
      list: [{ $number: '1e400' }, 1],
      kind: 'view',
    });
    assert.throws(() => read(Buffer.from('{"id": 9007199254740993.5e-20}')), /must be integer/);
  });
});
