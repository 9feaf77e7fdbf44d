import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { deadLetterTopic } from './dead-letters.ts';
import { originOf } from './match-record.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';

/** A dead letter read from its topic. */
export interface KeptLetter {
  /** The original record; without its value if that was too large to keep. */
  readonly record: KafkaRecord;
  readonly reason: string;
  /** Identifies the record, as part of a run's id. */
  readonly origin: string;
}

/** All dead letters of a trigger, oldest first. */
export async function readDeadLetters(connection: KafkaConnection, name: PipelineName, trigger: string): Promise<KeptLetter[]> {
  const letters: KeptLetter[] = [];
  await readTopic(
    createKafka(connection, 'sluice-dead-letters'),
    { topic: deadLetterTopic(name, trigger), from: 'earliest', signal: new AbortController().signal },
    (record) => letters.push(letterOf(record)) > 0,
  );
  return letters;
}

const OWN = /^sluice-/;

function letterOf({ key, value, headers }: KafkaRecord): KeptLetter {
  const own = (name: string): string => headers[`sluice-${name}`] ?? '';
  const [topic, partition, offset] = [own('topic'), Number(own('partition')), own('offset')];
  return {
    // Letters of older releases contain only the record's position.
    origin: headers['sluice-origin'] ?? originOf({ topic, partition, offset }),
    record: {
      key,
      value,
      topic,
      partition,
      offset,
      timestamp: own('timestamp'),
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.test(name))),
    },
    reason: own('reason'),
  };
}
