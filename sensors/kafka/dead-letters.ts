import { randomUUID } from 'node:crypto';
import type { Kafka, Producer } from 'kafkajs';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import { originOf } from './match-record.ts';

/** Where the records of a trigger go that cannot be read. */
export function deadLetterTopic(dagId: string, trigger: string): string {
  return `sluice.dead-letters.${dagId}.${trigger}`;
}

/** A record that cannot be read, and why. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  readonly reason: string;
}

/** Where dead letters come from. */
export interface LettersOrigin {
  readonly topic: string;
  readonly partition: number;
  /** The offset to commit with them, and its metadata. */
  readonly next: string;
  readonly metadata: string | undefined;
  /** What tells a record from all others. */
  originOf(record: KafkaRecord): string;
}

/** Larger values stay where they are: brokers take no more than 1 MB in one record by default. */
const MAX_VALUE = 900_000;

/**
 * Writes dead letters: in one transaction with the offset that is committed after them, so that each is written exactly once, whatever dies in
 * between. Headers say why and where from.
 */
export class DeadLetters {
  private producer: Producer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly group: string,
    private readonly topic: string,
  ) {}

  /** @param reached where they come from, with the offset to commit; absent: they are of no one record */
  async write(letters: readonly DeadLetter[], reached?: LettersOrigin): Promise<void> {
    const producer = await this.connected();
    const transaction = await producer.transaction();
    try {
      await transaction.send({
        topic: this.topic,
        messages: letters.map(({ record, reason }) => ({
          key: record.key,
          value: (record.value?.length ?? 0) > MAX_VALUE ? null : record.value,
          headers: {
            ...record.headers,
            'sluice-reason': reason.slice(0, 2_000),
            'sluice-topic': record.topic,
            'sluice-partition': String(record.partition),
            'sluice-offset': record.offset,
            'sluice-origin': reached?.originOf(record) ?? originOf(record),
            'sluice-timestamp': record.timestamp,
            ...((record.value?.length ?? 0) > MAX_VALUE && { 'sluice-value': `left at its origin: ${record.value?.length} bytes` }),
          },
        })),
      });
      if (reached) {
        const { topic, partition, next, metadata } = reached;
        const offset = { partition, offset: next, ...(metadata !== undefined && { metadata }) };
        await transaction.sendOffsets({ consumerGroupId: this.group, topics: [{ topic, partitions: [offset] }] });
      }
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.producer?.disconnect().catch(() => undefined);
  }

  private async connected(): Promise<Producer> {
    if (this.producer) return this.producer;
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      await admin.createTopics({ topics: [{ topic: this.topic, numPartitions: 1 }], waitForLeaders: false });
    } finally {
      await admin.disconnect();
    }
    const producer = this.kafka.producer({ transactionalId: `${this.group}.${randomUUID()}`, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    return (this.producer = producer);
  }
}
