import avsc from 'avsc';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { jsonValueOf } from '../../json-value.ts';
import { type LogicalSchema, logicalValue } from './avro-logical-types.ts';

/** A schema in Avro's JSON format, preceded by the schemas that it refers to. */
export type AvroTexts = readonly [...referred: string[], text: string];

/** A type, and which of its nested types are logical. */
interface ReadType {
  readonly type: avsc.Type;
  readonly logical: WeakMap<avsc.Type, LogicalSchema>;
}

/**
 * Creates a reader for Avro records.
 * @param written the schema with which they were written
 * @param newest the schema with which to read them: missing fields get their defaults. If it is absent, or Avro cannot resolve one schema
 * to the other, records are read as written
 * @throws Error for an invalid schema
 */
export function avroReader(written: AvroTexts, newest?: AvroTexts): (body: Buffer) => Json {
  const writer = readTypeOf(written);
  const reader = newest && readTypeOf(newest);
  const resolver = reader && resolverOf(reader.type, writer.type);
  if (!reader || !resolver) return (body) => valueOf(writer.type.fromBuffer(body), writer.type, writer.logical);
  return (body) => valueOf(reader.type.fromBuffer(body, resolver), reader.type, reader.logical);
}

function resolverOf(reader: avsc.Type, writer: avsc.Type): avsc.Resolver | undefined {
  try {
    // A schema that moved to another namespace is still the same schema.
    return reader.createResolver(writer, { ignoreNamespaces: true });
  } catch {
    return undefined;
  }
}

function readTypeOf(texts: AvroTexts): ReadType {
  const logical = new WeakMap<avsc.Type, LogicalSchema>();
  const typeHook = (schema: unknown, options: avsc.ForSchemaOptions): avsc.Type | undefined => {
    if (schema === 'long') return createLong();
    if (typeof schema !== 'object' || schema === null || !('type' in schema)) return undefined;
    const { logicalType, ...plain } = schema as { logicalType?: unknown; type: unknown };
    if (typeof logicalType !== 'string') return plain.type === 'long' ? createLong() : undefined;
    const type = avsc.Type.forSchema(plain as avsc.Schema, options);
    logical.set(type, schema as unknown as LogicalSchema);
    return type;
  };
  // Wrapped unions name the type of each value; otherwise float and double cannot be distinguished.
  const options = { registry: {}, typeHook, wrapUnions: 'always' } as unknown as avsc.ForSchemaOptions;
  const types = texts.map((text) => avsc.Type.forSchema(JSON.parse(text) as avsc.Schema, options));
  return { type: types.at(-1) as avsc.Type, logical };
}

/** Reads 64-bit integers exactly. */
function createLong(): avsc.Type {
  const toBuffer = (value: bigint | number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  };
  return avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer,
    // Used for defaults of fields.
    fromJSON: (value: number) => value,
    toJSON: (value: bigint | number) => value,
    isValid: (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value),
    compare: (a: bigint | number, b: bigint | number) => (a < b ? -1 : a > b ? 1 : 0),
  });
}

/** Converts a decoded value for an event. */
function valueOf(value: unknown, type: avsc.Type, logical: ReadType['logical']): Json {
  const schema = logical.get(type);
  if (schema) return logicalValue(value, schema);
  if (value === null || value === undefined) return null;
  if (avsc.Type.isType(type, 'union')) {
    const [[branch, inner] = []] = Object.entries(value);
    const chosen = (type as avsc.types.WrappedUnionType).types.find(({ branchName }) => branchName === branch);
    return chosen ? valueOf(inner, chosen, logical) : jsonValueOf(value);
  }
  if (avsc.Type.isType(type, 'record')) {
    const { fields } = type as avsc.types.RecordType;
    return Object.fromEntries(
      fields.map((field) => [field.name, valueOf((value as Record<string, unknown>)[field.name], field.type, logical)]),
    );
  }
  if (avsc.Type.isType(type, 'array')) {
    const { itemsType } = type as avsc.types.ArrayType;
    return (value as readonly unknown[]).map((each) => valueOf(each, itemsType, logical));
  }
  if (avsc.Type.isType(type, 'map')) {
    const { valuesType } = type as unknown as { readonly valuesType: avsc.Type };
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, valueOf(part, valuesType, logical)]));
  }
  return jsonValueOf(value);
}
