import type { Json } from '../../workflows/plan/values/json.ts';
import type { KafkaConnection } from './connection.ts';
import { type Decoder, decodeJson } from './decode-record.ts';
import { registryDecoder } from './registry-decoder.ts';

/**
 * What reads the records of a trigger.
 * @param format as the file has it; json where it says nothing
 * @returns what is wrong, where nothing can
 */
export function decoderOf(format: Json | undefined, { schema_registry: registry }: KafkaConnection): Decoder | string {
  if (format === undefined || format === 'json') return decodeJson;
  if (registry !== undefined) return registryDecoder(registry);
  return (
    `Records in ${String(format)} are read through a Schema Registry, and the connection names none: ` +
    'add schema_registry=<its URL> to it, such as kafka://host:9092/?schema_registry=https://registry.'
  );
}
