import { randomUUID } from 'node:crypto';
import type { Kafka, Producer } from 'kafkajs';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import { originOf } from './match-record.ts';

/** The topic for a trigger's records that cannot be read. @param name of the pipeline; only a deployment in it has other characters than names of topics */
export function deadLetterTopic(name: PipelineName, trigger: string): string {
  return `sluice.dead-letters.${name.replace(/[^A-Za-z0-9._-]/g, (each) => `-x${each.charCodeAt(0).toString(16)}-`)}.${trigger}`;
}

/** A record that cannot be read, with the reason. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  readonly reason: string;
}

/** The source of dead letters. */
export interface LettersOrigin {
  readonly topic: string;
  readonly partition: number;
  /** The offset to commit together with them, and its metadata. */
  readonly next: string;
  readonly metadata: string | undefined;
  /** Identifies a record. */
  originOf(record: KafkaRecord): string;
}

/** Larger values are not copied: by default brokers accept at most 1 MB per record. */
const MAX_VALUE = 900_000;

/**
 * Writes dead letters in one transaction with the offset that follows them, so that each is written exactly once despite crashes. Headers
 * contain the reason and the origin.
 */
export class DeadLetters {
  private producer: Producer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly group: string,
    private readonly topic: string,
  ) {}

  /** @param reached their source, with the offset to commit; absent: they do not belong to a single record */
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
