import type { Json } from '../../workflows/plan/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { KafkaRecord } from './record-source.ts';

/** Thrown for a record that cannot be read; the message says why. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/** A record's value as JSON. @throws Undecodable */
export function decodeJson({ value }: KafkaRecord): Json {
  if (value === null) throw new Undecodable('The record has no value.');
  let json: Json;
  try {
    json = JSON.parse(value.toString()) as Json;
  } catch (error) {
    throw new Undecodable(
      `It is not JSON: ${error instanceof Error ? error.message.replace(/ in JSON at position.*| is not valid JSON$/s, '') : ''}`,
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Undecodable('It is JSON, but not an object.');
  return json;
}

/** How records are read. What has to be asked for first is a promise; the usual record is none. @throws Undecodable, at once or later */
export type Decoder = (record: KafkaRecord) => Json | Promise<Json>;

/** A record as expressions see it. What is said of it beside its value is made when it is read: most records are passed over without. */
export class RecordEvent implements RunEvent {
  private readMeta: RunEvent['meta'] | undefined;

  constructor(
    private readonly record: KafkaRecord,
    readonly value: Json,
  ) {}

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
