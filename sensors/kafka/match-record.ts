import { type Decoder, RecordEvent, Undecodable } from '../../lib/kafka/decode-record.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { EventMatch } from '../events/event-matcher.ts';

/** The decision about a record; for a run it includes the event. */
export type RecordMatch = Exclude<EventMatch, { kind: 'run' }> | (Extract<EventMatch, { kind: 'run' }> & { readonly event: RunEvent });

/** Decodes a record and matches it against a trigger. Returns a promise only if the decoder is asynchronous. */
export function matchRecord(
  record: KafkaRecord,
  match: (event: RunEvent) => EventMatch,
  decode: Decoder,
): RecordMatch | Promise<RecordMatch> {
  try {
    const value = decode(record);
    return value instanceof Promise
      ? value.then((json) => matchValue(record, json, match, decode), invalid)
      : matchValue(record, value, match, decode);
  } catch (error) {
    return invalid(error);
  }
}

function matchValue(record: KafkaRecord, value: Json, match: (event: RunEvent) => EventMatch, { exact }: Decoder): RecordMatch {
  const event = new RecordEvent(record, value, exact);
  const result = match(event);
  return result.kind === 'run' ? { ...result, event } : result;
}

function invalid(error: unknown): RecordMatch {
  if (error instanceof Undecodable) return { kind: 'invalid', reason: error.message };
  // The bytes are nested too deeply or too long. Any other error may come from the schema registry, and is retried.
  if (error instanceof RangeError) return { kind: 'invalid', reason: `It cannot be read: ${error.message}` };
  throw error;
}

/** The position of a record: `topic-partition-offset`. To distinguish incarnations of a topic, use `Incarnations.originOf`. */
export function originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}-${partition}-${offset}`;
}
