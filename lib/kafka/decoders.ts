import type { Json } from '../../workflows/plan/values/json.ts';
import type { KafkaConnection } from './connection.ts';
import { type Decoder, decodeJson } from './decode-record.ts';
import { registryDecoder } from './registry-decoder.ts';

/**
 * Finds the decoder for the records of a trigger.
 * @param format from the file; default: json
 * @returns the reason if there is no decoder
 */
export function decoderOf(format: Json | undefined, { schema_registry: registry }: KafkaConnection): Decoder | string {
  if (format === undefined || format === 'json') return decodeJson;
  if (registry !== undefined) return registryDecoder(registry);
  return (
    `Records in ${String(format)} are read through a Schema Registry, and the connection names none: ` +
    'add schema_registry=<its URL> to it, such as kafka://host:9092/?schema_registry=https://registry.'
  );
}
