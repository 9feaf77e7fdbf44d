import { Ajv } from 'ajv';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { exactly } from '../../workflows/plan/exact-json.ts';
import { isExactNumber, isMap, type Json } from '../../workflows/plan/json.ts';
import { jsonValueOf } from '../json-value.ts';
import { Undecodable } from './decode-record.ts';
import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts';

/** Reads the body of a record. @throws Undecodable */
export type SchemaReader = (body: Buffer) => Json;

/**
 * What reads the records of a schema.
 * @param subject whose newest schema says how Avro is to be read
 * @throws Undecodable when there is no such schema or nothing reads it, Error when the registry does not answer
 */
export async function schemaReader(registry: SchemaRegistry, id: number, subject: string): Promise<SchemaReader> {
  const schema = await registry.byId(id);
  switch (schema.type) {
    case 'AVRO':
      return avroReader(schema, await registry.newest(subject), registry);
    case 'PROTOBUF':
      return protobufReader(schema, registry);
    case 'JSON':
      return jsonSchemaReader(schema, registry);
    default:
      throw new Undecodable(`Schema ${id} is of type ${String(schema.type)}; AVRO, PROTOBUF and JSON can be read.`);
  }
}

async function avroReader(
  written: RegisteredSchema,
  newest: RegisteredSchema | undefined,
  registry: SchemaRegistry,
): Promise<SchemaReader> {
  const writer = await avroType(written, registry);
  if (!newest || newest.id === written.id || newest.type !== 'AVRO') return reading((body) => jsonValueOf(writer.fromBuffer(body)));
  const reader = await avroType(newest, registry);
  let resolver: avsc.Resolver;
  try {
    resolver = reader.createResolver(writer);
  } catch (error) {
    throw new Undecodable(`Schema ${written.id} cannot be read as the newest, ${newest.id}: ${messageOf(error)}`);
  }
  return reading((body) => jsonValueOf(reader.fromBuffer(body, resolver)));
}

async function avroType(schema: RegisteredSchema, registry: SchemaRegistry): Promise<avsc.Type> {
  const names: Record<string, avsc.Type> = {};
  const options: Partial<avsc.ForSchemaOptions> = { registry: names, typeHook: longsAsNumbers };
  for (const each of await withReferences(schema, registry)) avsc.Type.forSchema(JSON.parse(each.text) as avsc.Schema, options);
  return avsc.Type.forSchema(JSON.parse(schema.text) as avsc.Schema, options);
}

/** Numbers beyond 2^53 would be rounded; they come as texts. */
const LONGS = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = bytes.readBigInt64LE();
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  },
  toBuffer: (value: number | string) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: (value: number | string) => value,
  toJSON: (value: number | string) => value,
  isValid: (value: unknown) => typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value)),
  compare: (a: number | string, b: number | string) => Number(BigInt(a) - BigInt(b)),
});

function longsAsNumbers(schema: unknown): avsc.Type | undefined {
  return schema === 'long' || (schema as { type?: unknown } | null)?.type === 'long' ? LONGS : undefined;
}

async function protobufReader(schema: RegisteredSchema, registry: SchemaRegistry): Promise<SchemaReader> {
  const root = new protobuf.Root();
  for (const each of await withReferences(schema, registry)) protobuf.parse(each.text, root, { keepCase: true });
  const { package: name } = protobuf.parse(schema.text, root, { keepCase: true });
  const scope = name === undefined ? root : (root.lookup(name) as protobuf.Namespace);
  const own = protobuf.parse(schema.text, { keepCase: true });
  const order = messagesOf(own.package === undefined ? own.root : (own.root.lookup(own.package) as protobuf.Namespace));
  root.resolveAll();
  return reading((body) => {
    const { path, rest } = messagePath(body);
    let names: readonly MessageName[] = order;
    const full: string[] = [];
    for (const index of path) {
      const next = names[index];
      if (!next) throw new Undecodable(`Schema ${schema.id} has no message ${path.join('.')}.`);
      full.push(next.name);
      names = next.inner;
    }
    const type = scope.lookupType(full.join('.'));
    return jsonValueOf(type.toObject(type.decode(rest), { longs: String, enums: String, bytes: String, defaults: true }));
  });
}

interface MessageName {
  readonly name: string;
  readonly inner: readonly MessageName[];
}

/** The messages of a schema in the order in which it declares them: records name theirs by its place. */
function messagesOf(space: protobuf.NamespaceBase): MessageName[] {
  return space.nestedArray
    .filter((each): each is protobuf.Type => each instanceof protobuf.Type)
    .map((type) => ({ name: type.name, inner: messagesOf(type) }));
}

/** Zig-zag varints: how many, then each; a single 0 stands for the first message. */
function messagePath(body: Buffer): { readonly path: readonly number[]; readonly rest: Buffer } {
  const reader = protobuf.Reader.create(body);
  const count = reader.sint32();
  const path = count === 0 ? [0] : Array.from({ length: Math.min(count, MOST_NESTED) }, () => reader.sint32());
  return { path, rest: body.subarray(reader.pos) };
}

const MOST_NESTED = 32;

async function jsonSchemaReader(schema: RegisteredSchema, registry: SchemaRegistry): Promise<SchemaReader> {
  const ajv = new Ajv({ strict: false, strictNumbers: false, useDefaults: true, validateFormats: false });
  for (const reference of schema.references) {
    ajv.addSchema(JSON.parse((await registry.reference(reference)).text) as object, reference.name);
  }
  // Whatever draft it names: what they have in common is what is checked.
  const text = JSON.parse(schema.text) as Record<string, unknown>;
  delete text.$schema;
  const check = ajv.compile(text);
  return reading((body) => {
    const text = body.toString();
    const value = JSON.parse(text) as Json;
    // What is checked, and given its defaults, has the numbers of doubles.
    if (check(value)) return withNumbersOf(exactly(text, value), value);
    const [first] = check.errors ?? [];
    throw new Undecodable(`It does not fit schema ${schema.id}: ${first?.instancePath ?? ''} ${first?.message ?? ''}.`);
  });
}

/** `value`, with the numbers as `exact` has them: what was read of the same text. */
function withNumbersOf(exact: Json | undefined, value: Json): Json {
  if (isExactNumber(exact)) return exact;
  if (Array.isArray(value))
    return value.map((each: Json, index) => withNumbersOf(Array.isArray(exact) ? (exact[index] as Json) : undefined, each));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, withNumbersOf(isMap(exact) ? exact[key] : undefined, part ?? null)]),
  );
}

/** The schemas that one refers to, those first that others refer to. */
async function withReferences({ references }: RegisteredSchema, registry: SchemaRegistry): Promise<RegisteredSchema[]> {
  const found: RegisteredSchema[] = [];
  for (const reference of references) {
    const schema = await registry.reference(reference);
    found.push(...(await withReferences(schema, registry)), schema);
  }
  return found;
}

function reading(read: SchemaReader): SchemaReader {
  return (body) => {
    try {
      return read(body);
    } catch (error) {
      throw error instanceof Undecodable ? error : new Undecodable(`It cannot be read with its schema: ${messageOf(error)}`);
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
