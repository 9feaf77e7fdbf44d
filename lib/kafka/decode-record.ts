import { exactly } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { KafkaRecord } from './record-source.ts';
import { MAX_DECOMPRESSED_BYTES, TOO_LARGE_HEADER } from './too-large.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

const TOO_LARGE = `The batch of the record has more than ${MAX_DECOMPRESSED_BYTES / 1024 / 1024} MiB when it is decompressed.`;

/** Thrown for a record that cannot be read; the message says why. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/**
 * How records are read. What has to be asked for first is a promise; the usual record is none.
 * @throws Undecodable, at once or later
 */
export interface Decoder {
  (record: KafkaRecord): Json | Promise<Json>;
  /**
   * What a record says, from what was read of it: with numbers as they were written. Absent where they are so already. Apart, because most
   * records are passed over before it matters.
   */
  readonly exact?: (record: KafkaRecord, read: Json) => Json;
}

/** Reads a record's value as JSON, numbers rounded as `JSON.parse` does. @throws Undecodable */
export const decodeJson: Decoder & ((record: KafkaRecord) => Json) = Object.assign(readJson, {
  exact: ({ value }: KafkaRecord, read: Json): Json => exactly(value?.toString() ?? '', read),
});

/** Reads a record's value as JSON, numbers as they were written. @throws Undecodable */
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

/** A record as expressions see it. Beside `rounded` all is made when it is read: most records are passed over without. */
export class RecordEvent implements RunEvent {
  private readValue: Json | undefined;
  private readMeta: RunEvent['meta'] | undefined;

  /** @param rounded its value; where `exact` is given, with numbers as `JSON.parse` makes them */
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

  /** What a run is given of it. */
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
    // A producer may write any number; Kafka's own word for none is -1.
    timestamp: new Date(Number.isSafeInteger(ms) && ms >= 0 && ms < 8.64e15 ? ms : 0).toISOString(),
  };
}
