import type { Kafka } from 'kafkajs';
import { whenLoaded } from './coordinator-loading.ts';
import { GROUP_TIMES } from './group-times.ts';

/** An offset to be committed. */
export interface NewOffset {
  readonly partition: number;
  readonly offset: string;
  /** Is kept with it. */
  readonly metadata?: string | undefined;
}

/**
 * Commits offsets of a topic for a group that has no members. kafkajs' own `admin.setOffsets` does the same and takes five seconds for it: it
 * waits for a fetch that it does not need.
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
    // It has joined when this resolves. What it fetches meanwhile is read again by whom it is for.
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
    await consumer.commitOffsets(
      partitions.map(({ partition, offset, metadata }) => ({ topic, partition, offset, ...(metadata !== undefined && { metadata }) })),
    );
  } finally {
    await consumer.disconnect();
  }
}
