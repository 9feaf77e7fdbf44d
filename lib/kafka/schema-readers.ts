import type { Json } from '../../workflows/plan/values/json.ts';
import { loadDriver } from '../driver.ts';
import { Undecodable } from './decode-record.ts';
import { jsonSchemaReader } from './decoding/json-schema-reader.ts';
import { protobufReader } from './decoding/protobuf-reader.ts';
import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Decodes the body of a record. @throws Undecodable */
export type SchemaReader = (body: Buffer) => Json;

/**
 * Creates the reader for a schema. The same values give the same event in every format: docs/01, "Formats of records".
 * @param subject whose newest schema is used to resolve Avro
 * @throws Undecodable when the schema is unknown or unsupported, Error when the registry does not answer
 */
export async function schemaReader(registry: SchemaRegistry, id: number, subject: string): Promise<SchemaReader> {
  const schema = await registry.byId(id);
  const referred = await referencesOf(schema, registry);
  switch (schema.type) {
    case 'AVRO': {
      const { avroReader } = await loadDriver('avsc', 'Records in Avro', () => import('./decoding/avro-reader.ts'));
      const newest = await registry.newest(subject);
      if (!newest || newest.id === id || newest.type !== 'AVRO') return reading(id, () => avroReader(textsOf(schema, referred)));
      const others = await referencesOf(newest, registry);
      return reading(id, () => avroReader(textsOf(schema, referred), textsOf(newest, others)));
    }
    case 'PROTOBUF':
      return reading(id, () => protobufReader(schema.text, referred));
    case 'JSON':
      return reading(id, () => jsonSchemaReader(schema.text, referred));
    default:
      throw new Undecodable(`Schema ${id} is of type ${String(schema.type)}; AVRO, PROTOBUF and JSON can be read.`);
  }
}

interface NamedSchema {
  /** The name by which others refer to it. */
  readonly name: string;
  readonly text: string;
}

/** The schemas that a schema refers to, each once, dependencies first. */
async function referencesOf(schema: RegisteredSchema, registry: SchemaRegistry): Promise<NamedSchema[]> {
  const found = new Map<string, NamedSchema>();
  const collect = async ({ references }: RegisteredSchema): Promise<void> => {
    for (const reference of references) {
      const { name } = reference;
      if (found.has(name)) continue;
      const referred = await registry.reference(reference);
      await collect(referred);
      found.set(name, { name, text: referred.text });
    }
  };
  await collect(schema);
  return [...found.values()];
}

function textsOf({ text }: RegisteredSchema, referred: readonly NamedSchema[]): [...string[], string] {
  return [...referred.map((each) => each.text), text];
}

/** An unusable schema is the fault of its records, not of the registry: a retry would not help. */
function reading(id: number, create: () => SchemaReader): SchemaReader {
  const read = undecodable(`Schema ${id} cannot be used`, create);
  return (body) => undecodable(`It cannot be read with its schema, ${id}`, () => read(body));
}

function undecodable<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Undecodable(`${what}: ${errorText(error)}.`);
  }
}
