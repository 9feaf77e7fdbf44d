import { randomUUID } from 'node:crypto';
import type { KafkaConnection } from '../../lib/connections.ts';
import { createKafka } from '../../lib/kafka.ts';
import { deadLetterTopic } from './dead-letters.ts';
import type { KafkaRecord } from './record-source.ts';
import { kafkajsSource } from './kafkajs-source.ts';

/** A dead letter as it was read back. */
export interface KeptLetter {
  /** The record as it was at its origin; without its value when that was too large to be kept. */
  readonly record: KafkaRecord;
  readonly reason: string;
}

/** All dead letters of a trigger, the oldest first. */
export async function readDeadLetters(connection: KafkaConnection, dagId: string, trigger: string): Promise<KeptLetter[]> {
  const kafka = createKafka(connection, 'sluice-dead-letters');
  const topic = deadLetterTopic(dagId, trigger);
  const admin = kafka.admin();
  await admin.connect();
  const group = `sluice.dead-letters.${randomUUID()}`;
  try {
    if (!(await admin.listTopics()).includes(topic)) return [];
    const [bounds] = await admin.fetchTopicOffsets(topic);
    if (!bounds || bounds.high === bounds.low) return [];
    const letters: KeptLetter[] = [];
    const enough = new AbortController();
    await kafkajsSource(kafka).consume({
      group,
      topics: [topic],
      signal: enough.signal,
      handle: async ({ records, next }) => {
        letters.push(...records.map(letterOf));
        // Transactions leave marks between the records: the end is an offset, not a count.
        if (BigInt(next) >= BigInt(bounds.high)) enough.abort();
      },
    });
    return letters;
  } finally {
    await admin.deleteGroups([group]).catch(() => undefined);
    await admin.disconnect();
  }
}

const OWN = /^sluice-/;

function letterOf({ headers, ...letter }: KafkaRecord): KeptLetter {
  const own = (name: string): string => headers[`sluice-${name}`] ?? '';
  return {
    record: {
      ...letter,
      topic: own('topic'),
      partition: Number(own('partition')),
      offset: own('offset'),
      timestamp: own('timestamp'),
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.test(name))),
    },
    reason: own('reason'),
  };
}
