import type { Batch, Consumer, EachBatchPayload, IHeaders, Kafka, KafkaMessage } from 'kafkajs';
import kafkajs from 'kafkajs';
import { whenLoaded } from './coordinator-loading.ts';
import { GROUP_TIMES } from './group-times.ts';
import type { KafkaRecord, RecordBatch, RecordSource, Subscription } from './record-source.ts';

// Node does not see this name among those of the CommonJS module.
const { KafkaJSError } = kafkajs;

/** A consumer that has asked for nothing in so many milliseconds hangs, and is built anew. */
const STALLED = 30_000;
/** How long a coordinator that is loading is waited for, in milliseconds, before whoever consumes hears of it. */
const JOIN_WITHIN_MS = 10_000;

/** Records by kafkajs. Its traps are here and nowhere else: see "Kafka clients" in docs/dependencies.md. */
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
    // A topic that was deleted is not made again by asking for it.
    allowAutoTopicCreation: false,
    // Records of 8 MB and more arrive too: a broker always sends at least one.
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

/** A consumer that is disconnected while it joins its group stays in it, and keeps partitions for ever: it is waited for. */
async function runConsumer(consumer: Consumer, { topics, handle, joined, signal }: Subscription): Promise<void> {
  let lastSign = Date.now();
  let busy = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  let begun: Promise<void> | undefined;
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
    begun = consumer
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
  }).finally(() => begun);
}

function batchOf(consumer: Consumer, { batch, heartbeat }: EachBatchPayload): RecordBatch {
  const { topic, partition } = batch;
  const next = (BigInt(batch.lastOffset()) + 1n).toString();
  return {
    topic,
    partition,
    // Their types lack it.
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
 * One record at a time, and what is seldom read of it only when it is: most are passed over, and for those an object with all that a record
 * has, made by a generator, costs as much as a fifth of parsing them.
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
  // Most records have none: no list is made to see that.
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) (found ??= {})[name] = last.toString();
  }
  return found ?? NO_HEADERS;
}
