import { type Decoder, Undecodable } from './decode-record.ts';
import type { KafkaRecord } from './record-source.ts';
import { SchemaRegistry } from './schema-registry.ts';
import { type SchemaReader, schemaReader } from './schema-readers.ts';

/** Confluent's wire format: a zero byte, then the schema id. */
const HEADER = 5;

/**
 * Decodes Avro, Protobuf or JSON Schema records, depending on the registered schema of each record. Avro is resolved to the newest schema
 * of the topic: missing fields get their defaults.
 */
export function registryDecoder(url: string): Decoder {
  const registry = new SchemaRegistry(url);
  const readers = new Map<string, SchemaReader | Promise<SchemaReader>>();
  const readerFor = (topic: string, id: number): SchemaReader | Promise<SchemaReader> => {
    const key = `${topic} ${id}`;
    let known = readers.get(key);
    if (known === undefined) {
      const asked = schemaReader(registry, id, `${topic}-value`);
      known = asked;
      readers.set(key, asked);
      asked.then(
        (reader) => readers.set(key, reader),
        // Do not cache failures, whether the registry is unreachable or does not know the schema.
        () => readers.delete(key),
      );
    }
    return known;
  };
  return ({ topic, value }: KafkaRecord) => {
    if (value === null) throw new Undecodable('The record has no value.');
    if (value.length < HEADER || value[0] !== 0) throw new Undecodable('It does not begin with the number of a schema.');
    const body = value.subarray(HEADER);
    const reader = readerFor(topic, value.readUInt32BE(1));
    return reader instanceof Promise ? reader.then((read) => read(body)) : reader(body);
  };
}
