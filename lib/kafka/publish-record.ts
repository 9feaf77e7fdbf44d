import kafkajs, { type Kafka } from 'kafkajs';
import { untilAborted } from '../until-aborted.ts';

// Node does not detect this named export of the CommonJS module.
const { Partitioners } = kafkajs;

/** A record to publish. */
export interface NewRecord {
  readonly topic: string;
  readonly key?: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same for each attempt to write the same record; selects the partition of a record without a key. */
  readonly identity: string;
}

/** The position of a record. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * Publishes a record, and waits until all in-sync replicas have it. If a response is lost, the broker deduplicates the retry, so that one
 * call writes at most one record. Does not create missing topics.
 * @throws Error of the client; the signal's reason, after which no attempt starts
 */
export function publishRecord(kafka: Kafka, record: NewRecord, signal: AbortSignal): Promise<RecordPlace> {
  return untilAborted(signal, publish(kafka, record, signal));
}

async function publish(kafka: Kafka, { topic, key, value, headers, identity }: NewRecord, signal: AbortSignal): Promise<RecordPlace> {
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    // The minimum that survives a leader election; the caller may retry further.
    retry: { retries: 3 },
    createPartitioner: () => {
      const byKey = Partitioners.DefaultPartitioner();
      return (choice) => {
        // Called before each attempt. By default the client moves a record without a key to another partition on a retry, where no broker
        // knows that it was already written.
        signal.throwIfAborted();
        return byKey({ ...choice, message: { ...choice.message, key: key ?? identity } });
      };
    },
  });
  await producer.connect();
  try {
    const [written] = await producer.send({ topic, acks: -1, messages: [{ key: key ?? null, value, headers: { ...headers } }] });
    if (written?.baseOffset === undefined) throw new Error('The broker has not said where the record is.');
    return { topic, partition: written.partition, offset: written.baseOffset };
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}
