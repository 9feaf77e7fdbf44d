import type { Batch, Consumer, EachBatchPayload, IHeaders, Kafka, KafkaMessage } from 'kafkajs';
import kafkajs from 'kafkajs';
import { whenLoaded } from './coordinator-loading.ts';
import { GROUP_TIMES } from './group-times.ts';
import type { KafkaRecord, RecordBatch, RecordSource, Subscription } from './record-source.ts';

// Node does not detect this named export of the CommonJS module.
const { KafkaJSError } = kafkajs;

/** A consumer without a fetch in this time hangs and is recreated, in milliseconds. */
const STALLED = 30_000;
/** How long to wait for a loading coordinator before failing, in milliseconds. */
const JOIN_WITHIN_MS = 10_000;

/** Reads records with kafkajs, and contains all its workarounds: see "Kafka clients" in docs/dependencies.md. */
export function kafkajsSource(kafka: Kafka): RecordSource {
  return {
    async consume(subscription) {
      let handled = false;
      const handle = (batch: RecordBatch): Promise<void> => {
        handled = true;
        return subscription.handle(batch);
      };
      // The coordinator of a new group may still be loading. Do not retry once records were handled.
      await whenLoaded(() => consumeOnce(kafka, { ...subscription, handle }), {
        withinMs: JOIN_WITHIN_MS,
        mayRepeat: () => !handled && !subscription.signal.aborted,
      });
    },
  };
}

async function consumeOnce(kafka: Kafka, subscription: Subscription): Promise<void> {
  const consumer = kafka.consumer({
    groupId: subscription.group,
    // Do not recreate a deleted topic by requesting it.
    allowAutoTopicCreation: false,
    // Larger records arrive too: a broker always sends at least one.
    maxBytesPerPartition: 8 * 1024 * 1024,
    maxBytes: 32 * 1024 * 1024,
    maxWaitTimeInMs: 1_000,
    ...GROUP_TIMES,
    // KafkaJS gives up on some errors and retries others for minutes. Fail fast instead: the caller restarts the consumer.
    retry: { initialRetryTime: 200, retries: 3, restartOnFailure: () => Promise.resolve(false) },
  });
  try {
    await runConsumer(consumer, subscription);
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
}

/** Waits until the consumer has joined: if it disconnects while joining, it stays in the group and keeps its partitions forever. */
async function runConsumer(consumer: Consumer, { topics, handle, joined, signal }: Subscription): Promise<void> {
  let lastSign = Date.now();
  let busy = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  let starting: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const watch = setInterval(() => {
      if (busy === 0 && Date.now() - lastSign > STALLED) end(new Error(`The Kafka client has asked for nothing in ${STALLED / 1000} s.`));
    }, 1_000);
    let over = false;
    const end = (error?: unknown): void => {
      over = true;
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error(String(error)));
    };
    const stop = (): void => end();
    if (signal.aborted) return end();
    signal.addEventListener('abort', stop, { once: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, () => joined?.());
    consumer.on(consumer.events.FETCH_START, () => (lastSign = Date.now()));
    starting = consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 8,
        async eachBatch(payload) {
          if (over) return;
          busy++;
          try {
            await handle(batchOf(consumer, payload));
            if (!over) payload.resolveOffset(payload.batch.messages.at(-1)?.offset ?? payload.batch.lastOffset());
          } catch (error) {
            // KafkaJS handles its own errors, such as a partition that moved to another consumer. The handler may throw the same classes,
            // but then nothing was committed.
            if (error instanceof KafkaJSError) throw error;
            end(error);
          } finally {
            busy--;
            lastSign = Date.now();
          }
        },
      })
      .catch(end);
  }).finally(() => starting);
}

function batchOf(consumer: Consumer, { batch, heartbeat }: EachBatchPayload): RecordBatch {
  const { topic, partition } = batch;
  const next = (BigInt(batch.lastOffset()) + 1n).toString();
  return {
    topic,
    partition,
    // The field is missing in the types of kafkajs.
    from: (batch as Batch & { readonly fetchedOffset: string }).fetchedOffset,
    next,
    lag: Math.max(0, Number(BigInt(batch.highWatermark) - BigInt(next))),
    records: new Records(batch),
    count: batch.messages.length,
    alive: heartbeat,
    commit: (offset = next, metadata?: string) =>
      consumer.commitOffsets([{ topic, partition, offset, ...(metadata !== undefined && { metadata }) }]),
  };
}

/**
 * Creates records one at a time, and rarely read fields on access: most records are skipped, and a generator of complete objects costs a
 * fifth as much as parsing them.
 */
class Records implements Iterable<KafkaRecord> {
  constructor(private readonly batch: Batch) {}

  [Symbol.iterator](): Iterator<KafkaRecord> {
    const { topic, partition, messages } = this.batch;
    let next = 0;
    const step: { done: boolean; value: KafkaRecord | undefined } = { done: false, value: undefined };
    return {
      next() {
        const message = messages[next++];
        step.done = message === undefined;
        step.value = message && new KafkajsRecord(topic, partition, message);
        return step as IteratorResult<KafkaRecord>;
      },
    };
  }
}

class KafkajsRecord implements KafkaRecord {
  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly message: KafkaMessage,
  ) {}

  get offset(): string {
    return this.message.offset;
  }

  get timestamp(): string {
    return this.message.timestamp;
  }

  get key(): Buffer | null {
    return this.message.key;
  }

  get value(): Buffer | null {
    return this.message.value;
  }

  get headers(): Readonly<Record<string, string>> {
    return headersOf(this.message.headers);
  }
}

const NO_HEADERS = {};

function headersOf(headers: IHeaders | undefined): Readonly<Record<string, string>> {
  let found: Record<string, string> | undefined;
  // Most records have no headers: detect that without allocating a list.
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) (found ??= {})[name] = last.toString();
  }
  return found ?? NO_HEADERS;
}
