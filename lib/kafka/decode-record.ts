import { exactly } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { KafkaRecord } from './record-source.ts';
import { MAX_DECOMPRESSED_BYTES, TOO_LARGE_HEADER } from './too-large.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

const TOO_LARGE = `The batch of the record has more than ${MAX_DECOMPRESSED_BYTES / 1024 / 1024} MiB when it is decompressed.`;

/** Thrown for an unreadable record; the message says why. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/**
 * Decodes records. Returns a promise only if it needs a request first; usually it does not.
 * @throws Undecodable, synchronously or asynchronously
 */
export interface Decoder {
  (record: KafkaRecord): Json | Promise<Json>;
  /**
   * Decodes a record again with exact numbers; absent if they are exact already. Separate, because most records are skipped before it
   * matters.
   */
  readonly exact?: (record: KafkaRecord, read: Json) => Json;
}

/** Decodes a record's value as JSON, with numbers rounded as in `JSON.parse`. @throws Undecodable */
export const decodeJson: Decoder & ((record: KafkaRecord) => Json) = Object.assign(readJson, {
  exact: ({ value }: KafkaRecord, read: Json): Json => exactly(value?.toString() ?? '', read),
});

/** Decodes a record's value as JSON, with exact numbers. @throws Undecodable */
export function decodeExactJson(record: KafkaRecord): Json {
  return exactly(record.value?.toString() ?? '', readJson(record));
}

function readJson(record: KafkaRecord): Json {
  const { value } = record;
  if (value === null) throw new Undecodable(TOO_LARGE_HEADER in record.headers ? TOO_LARGE : 'The record has no value.');
  let json: Json;
  try {
    json = JSON.parse(value.toString()) as Json;
  } catch (error) {
    throw new Undecodable(`It is not JSON: ${errorText(error).replace(/ in JSON at position.*| is not valid JSON$/s, '')}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Undecodable('It is JSON, but not an object.');
  return json;
}

/** A record as expressions see it. All fields except `rounded` are computed on access, because most records are skipped. */
export class RecordEvent implements RunEvent {
  private readValue: Json | undefined;
  private readMeta: RunEvent['meta'] | undefined;

  /** @param rounded its value; if `exact` is given, with numbers as in `JSON.parse` */
  constructor(
    private readonly record: KafkaRecord,
    readonly rounded: Json,
    private readonly exact?: Decoder['exact'],
  ) {}

  get value(): Json {
    return (this.readValue ??= this.exact ? this.exact(this.record, this.rounded) : this.rounded);
  }

  get meta(): RunEvent['meta'] {
    return (this.readMeta ??= metaOf(this.record));
  }

  /** The event as a run receives it. */
  toJSON(): RunEvent {
    return { value: this.value, meta: this.meta };
  }
}

function metaOf({ topic, partition, offset, timestamp, key, headers }: KafkaRecord): RunEvent['meta'] {
  const ms = Number(timestamp);
  return {
    key: key?.toString() ?? '',
    headers,
    topic,
    partition,
    offset: Number(offset),
    // A producer may write any number; Kafka uses -1 for a missing timestamp.
    timestamp: new Date(Number.isSafeInteger(ms) && ms >= 0 && ms < 8.64e15 ? ms : 0).toISOString(),
  };
}
