import { type Decoder, RecordEvent, Undecodable } from '../../lib/kafka/decode-record.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { Verdict } from '../events/event-judge.ts';

/** A verdict; one for a run with the event that it is about. */
export type Judged = Exclude<Verdict, { kind: 'run' }> | (Extract<Verdict, { kind: 'run' }> & { readonly event: RunEvent });

/** Decodes a record and holds it against a trigger. A promise only where the decoder has to wait. */
export function judgeRecord(record: KafkaRecord, judge: (event: RunEvent) => Verdict, decode: Decoder): Judged | Promise<Judged> {
  try {
    const value = decode(record);
    return value instanceof Promise
      ? value.then((json) => judged(record, json, judge, decode), invalid)
      : judged(record, value, judge, decode);
  } catch (error) {
    return invalid(error);
  }
}

function judged(record: KafkaRecord, value: Json, judge: (event: RunEvent) => Verdict, { exact }: Decoder): Judged {
  const event = new RecordEvent(record, value, exact);
  const verdict = judge(event);
  return verdict.kind === 'run' ? { ...verdict, event } : verdict;
}

function invalid(error: unknown): Judged {
  if (error instanceof Undecodable) return { kind: 'invalid', reason: error.message };
  // Bytes that are nested too deeply, or longer than anything can be. Everything else may be the registry's, and is asked for again.
  if (error instanceof RangeError) return { kind: 'invalid', reason: `It cannot be read: ${error.message}` };
  throw error;
}

/** Where a record is: `topic-partition-offset`. What tells it from those of earlier incarnations of its topic is `Incarnations.originOf`. */
export function originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}-${partition}-${offset}`;
}
