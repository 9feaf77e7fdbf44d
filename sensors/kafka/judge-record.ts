import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { EventJudge, Verdict } from '../event-judge.ts';
import { eventOf, Undecodable } from './decode.ts';
import type { KafkaRecord } from './record-source.ts';

/** A verdict; one for a run with the event that it is about. */
export type Judged = Exclude<Verdict, { kind: 'run' }> | (Extract<Verdict, { kind: 'run' }> & { readonly event: RunEvent });

/** Decodes a record and holds it against a trigger. */
export function judgeRecord(record: KafkaRecord, judge: EventJudge): Judged {
  try {
    const event = eventOf(record);
    const verdict = judge.judge(event);
    return verdict.kind === 'run' ? { ...verdict, event } : verdict;
  } catch (error) {
    if (error instanceof Undecodable) return { kind: 'invalid', reason: error.message };
    throw error;
  }
}

/** What tells a record from all others: `topic-partition-offset`. */
export function originOf({ topic, partition, offset }: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}-${partition}-${offset}`;
}
