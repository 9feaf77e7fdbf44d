import kafkajs, { type Kafka } from 'kafkajs';
import { untilAborted } from '../until-aborted.ts';

// Node does not see this name among those of the CommonJS module.
const { Partitioners } = kafkajs;

/** A record to be written. */
export interface NewRecord {
  readonly topic: string;
  readonly key?: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same whenever the same record is written: chooses the partition of one without a key. */
  readonly identity: string;
}

/** Where a record is. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * Writes a record, and returns when all replicas that are in step have it. A try whose answer was lost is repeated and recognized by the
 * broker: one call writes one record at most. A topic that there is not is not made.
 * @throws Error of the client; the signal's reason, after which no further try begins
 */
export function publishRecord(kafka: Kafka, record: NewRecord, signal: AbortSignal): Promise<RecordPlace> {
  return untilAborted(signal, publish(kafka, record, signal));
}

async function publish(kafka: Kafka, { topic, key, value, headers, identity }: NewRecord, signal: AbortSignal): Promise<RecordPlace> {
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    // The least that outlives the election of a leader; who wants more tries again.
    retry: { retries: 3 },
    createPartitioner: () => {
      const byKey = Partitioners.DefaultPartitioner();
      return (choice) => {
        // It is asked before each try. Left to itself the client moves a record without a key to another partition when it tries again,
        // where no broker knows that it has been written already.
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
