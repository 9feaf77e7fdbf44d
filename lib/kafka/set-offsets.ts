import type { Kafka } from 'kafkajs';
import { whenLoaded } from './coordinator-loading.ts';
import { GROUP_TIMES } from './group-times.ts';

/** An offset to commit. */
export interface NewOffset {
  readonly partition: number;
  readonly offset: string;
  /** Stored with the offset. */
  readonly metadata?: string | undefined;
}

/**
 * Commits offsets of a topic for a group without members. kafkajs' `admin.setOffsets` needs five seconds, because it waits for an
 * unnecessary fetch.
 * @throws Error of the client when the group cannot be joined
 */
export function setOffsets(kafka: Kafka, group: string, topic: string, partitions: readonly NewOffset[]): Promise<void> {
  return whenLoaded(() => joinAndCommit(kafka, group, topic, partitions));
}

async function joinAndCommit(kafka: Kafka, group: string, topic: string, partitions: readonly NewOffset[]): Promise<void> {
  const consumer = kafka.consumer({
    groupId: group,
    ...GROUP_TIMES,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 100,
    retry: { retries: 3, restartOnFailure: () => Promise.resolve(false) },
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    // The consumer has joined when this resolves. Records that it fetches are not committed, so the actual consumer reads them again.
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
    await consumer.commitOffsets(
      partitions.map(({ partition, offset, metadata }) => ({ topic, partition, offset, ...(metadata !== undefined && { metadata }) })),
    );
  } finally {
    await consumer.disconnect();
  }
}
