import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { linkedController } from '../linked-controller.ts';
import { setOffsets } from './set-offsets.ts';
import { kafkajsSource } from './kafkajs-source.ts';
import type { KafkaRecord } from './record-source.ts';

/** The start position: the first record, a time (milliseconds), or an offset for each partition. */
export type ReadFrom = 'earliest' | number | Readonly<Record<string, string>>;

/**
 * Reads a topic up to its current end.
 * @param take handles a record; returns false to stop
 * @returns the next offset by partition; undefined if the topic does not exist
 */
export async function readTopic(
  kafka: Kafka,
  { topic, from, signal }: { readonly topic: string; readonly from: ReadFrom; readonly signal: AbortSignal },
  take: (record: KafkaRecord) => boolean,
): Promise<Record<string, string> | undefined> {
  const admin = kafka.admin();
  await admin.connect();
  const group = `sluice.reader.${randomUUID()}`;
  try {
    if (!(await admin.listTopics()).includes(topic)) return undefined;
    const bounds = await admin.fetchTopicOffsets(topic);
    const since = typeof from === 'number' ? await admin.fetchTopicOffsetsByTimestamp(topic, from) : [];
    const next: Record<string, string> = {};
    for (const { partition, low, high } of bounds) {
      const known = typeof from === 'object' ? from[partition] : since.find((each) => each.partition === partition)?.offset;
      // Retention may have removed these records; new partitions and recreated topics are read from the start.
      next[partition] = known !== undefined && BigInt(known) > BigInt(low) && BigInt(known) <= BigInt(high) ? known : low;
    }
    const left = new Set(
      bounds.filter(({ partition, high }) => BigInt(next[partition] ?? '0') < BigInt(high)).map(({ partition }) => partition),
    );
    if (left.size === 0) return next;
    const starts = Object.entries(next).map(([partition, offset]) => ({ partition: Number(partition), offset }));
    await setOffsets(kafka, group, topic, starts);
    const enough = linkedController(signal);
    const reading = kafkajsSource(kafka).consume({
      group,
      topics: [topic],
      signal: enough.signal,
      handle({ records, partition, next: after }) {
        if (enough.signal.aborted) return Promise.resolve();
        for (const record of records) {
          if (take(record)) continue;
          enough.abort();
          return Promise.resolve();
        }
        next[partition] = after;
        // Transaction markers also take offsets, so the end is an offset, not a count.
        const end = bounds.find((each) => each.partition === partition)?.high ?? '0';
        if (BigInt(after) >= BigInt(end)) left.delete(partition);
        if (left.size === 0) enough.abort();
        return Promise.resolve();
      },
    });
    await reading.finally(() => enough.abort());
    signal.throwIfAborted();
    return next;
  } finally {
    await admin.deleteGroups([group]).catch(() => undefined);
    await admin.disconnect();
  }
}
