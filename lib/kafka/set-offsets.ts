import type { Kafka, PartitionOffset } from 'kafkajs';

/**
 * Commits offsets of a topic for a group that has no members. kafkajs' own `admin.setOffsets` does the same and takes five seconds for it: it
 * waits for a fetch that it does not need.
 * @throws Error of the client when the group cannot be joined
 */
export async function setOffsets(kafka: Kafka, group: string, topic: string, partitions: readonly PartitionOffset[]): Promise<void> {
  const consumer = kafka.consumer({
    groupId: group,
    maxWaitTimeInMs: 100,
    retry: { retries: 3, restartOnFailure: () => Promise.resolve(false) },
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    // It has joined when this resolves. What it fetches meanwhile is read again by whom it is for.
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
    await consumer.commitOffsets(partitions.map(({ partition, offset }) => ({ topic, partition, offset })));
  } finally {
    await consumer.disconnect();
  }
}
