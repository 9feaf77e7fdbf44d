import type { Decoder } from '../../lib/kafka/decode-record.ts';
import type { KafkaRecord, RecordBatch } from '../../lib/kafka/record-source.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { SensorContext } from '../define-trigger.ts';
import type { EventMatch } from '../events/event-matcher.ts';
import { stopped } from '../run/sensor-stopped.ts';
import type { DeadLetter } from './dead-letters.ts';
import { type RecordMatch, matchRecord, originOf } from './match-record.ts';

/** After this many records, yield to other work such as heartbeats. */
const TURN = 2_000;

/** The results of a batch, apart from the matches. */
export interface BatchMatches {
  readonly matches: number;
  readonly invalid: number;
  readonly letters: DeadLetter[];
}

export type Match = Extract<RecordMatch, { kind: 'run' }>;

/**
 * Evaluates the records of a batch in order, and passes on those that meet the trigger's condition.
 * @param onMatch also receives the dead letters of earlier records, and removes those that it has written
 * @returns counts, and the dead letters still to be written
 */
export async function matchBatch(
  { trigger, journal, signal }: SensorContext,
  batch: RecordBatch,
  { match, decode }: { match(event: RunEvent): EventMatch; readonly decode: Decoder },
  onMatch: (match: Match, record: KafkaRecord, letters: DeadLetter[]) => Promise<void> | undefined,
): Promise<BatchMatches> {
  const letters: DeadLetter[] = [];
  let matches = 0;
  let invalid = 0;
  let turn = 0;
  for (const record of batch.records) {
    if (++turn % TURN === 0) {
      signal.throwIfAborted();
      await batch.alive();
    }
    const matching = matchRecord(record, match, decode);
    const result = matching instanceof Promise ? await matching : matching;
    if (result.kind === 'none') continue;
    if (result.kind === 'run') {
      matches++;
      journal.count('matches');
      await onMatch(result, record, letters);
      continue;
    }
    const { reason } = result;
    invalid++;
    if (trigger.onInvalid === 'stop') throw stopped(`${originOf(record)} cannot be read: ${reason}`);
    if (trigger.onInvalid === 'dead_letter') letters.push({ record, reason });
  }
  journal.count('events', batch.count);
  journal.count('invalid', invalid);
  return { matches, invalid, letters };
}
