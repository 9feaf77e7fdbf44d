import { type Decoder, RecordEvent, Undecodable } from '../../lib/kafka/decode-record.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { EventMatch } from '../events/event-matcher.ts';

/** A verdict; one for a run with the event that it is about. */
export type RecordMatch = Exclude<EventMatch, { kind: 'run' }> | (Extract<EventMatch, { kind: 'run' }> & { readonly event: RunEvent });

/** Decodes a record and holds it against a trigger. A promise only where the decoder has to wait. */
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
  // Bytes that are nested too deeply, or longer than anything can be. Everything else may be the registry's, and is asked for again.
  if (error instanceof RangeError) return { kind: 'invalid', reason: `It cannot be read: ${error.message}` };
  throw error;
}

/** Where a record is: `topic-partition-offset`. What tells it from those of earlier incarnations of its topic is `Incarnations.originOf`. */
export function originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}-${partition}-${offset}`;
}
