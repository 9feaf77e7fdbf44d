import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Kafka } from 'kafkajs';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { linkedController } from '../../lib/linked-controller.ts';
import { decoderOf } from '../../lib/kafka/decoders.ts';
import { kafkajsSource } from '../../lib/kafka/kafkajs-source.ts';
import type { RecordSource } from '../../lib/kafka/record-source.ts';
import { TopicWatch } from '../../lib/kafka/topics.ts';
import type { SensorContext } from '../define-trigger.ts';
import { stopped } from '../run/sensor-stopped.ts';
import { DeadLetters, deadLetterTopic } from './dead-letters.ts';
import { EachRecord } from './each-record.ts';
import { Incarnations } from './incarnation.ts';
import { LostRecords } from './lost-records.ts';
import { type KafkaCursor, keyOf, Position } from './position.ts';
import { readDeadLetters } from './read-dead-letters.ts';
import { RecordBatches } from './record-batches.ts';
import type { HandlerContext, RecordHandler } from './record-handler.ts';
import { RecordWindows } from './record-windows.ts';
import { groupOf, isPartitionOf, type PinnedPosition, pinPosition, topicsOf } from './start-position.ts';
import { TopicChanges } from './topic-changes.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Delay before a failed client is recreated, in milliseconds. */
const REBUILD = 1_000;
/** How often due batches and windows are checked, in milliseconds. */
const TICK = 250;

/** Reads topics and starts runs for their records, until the signal is aborted. */
export async function runKafkaSensor(sensor: SensorContext): Promise<void> {
  const { journal, signal, log, name, trigger } = sensor;
  const connection = sensor.connection(['kafka']);
  const kafka = createKafka(connection, 'sluice-sensor');
  const source = kafkajsSource(kafka);
  const decode = decoderOf(trigger.source.format, connection);
  if (typeof decode === 'string') throw stopped(decode);
  const watch = new TopicWatch(connection);
  try {
    for (;;) {
      signal.throwIfAborted();
      let position: Position | undefined;
      try {
        const { incarnations, partitions, begins } = await pin(kafka, sensor);
        const group = groupOf(name, trigger.name);
        position = new Position(journal, new DeadLetters(kafka, group, deadLetterTopic(name, trigger.name)), incarnations);
        const handler = await handlerFor({ sensor, decode, position, incarnations }, connection, kafka);
        await consume(source, handler, sensor, new TopicChanges(watch, incarnations, partitions), new LostRecords(begins));
      } catch (error) {
        if (signal.aborted || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
        const message = errorText(error);
        journal.obstacle = message;
        log.warn('Recreating the Kafka consumer', { reason: message });
      } finally {
        await position?.close();
      }
      await delay(REBUILD, undefined, { signal });
    }
  } finally {
    await watch.close();
  }
}

/** Determines the sensor's start position, and keeps it in the journal. */
async function pin(
  kafka: Kafka,
  sensor: SensorContext,
): Promise<Pick<PinnedPosition, 'partitions' | 'begins'> & { readonly incarnations: Incarnations }> {
  const { journal, log } = sensor;
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { lost, incarnations, partitions, begins, recreated } = await pinPosition(kafka, admin, sensor);
    reportLost(sensor, lost);
    if (recreated.length > 0)
      log.warn('Topics were deleted and created again: they are read from their first record', { topics: recreated });
    const { offsets = {}, ...rest } = (journal.cursor ?? {}) as KafkaCursor;
    const kept = Object.entries(offsets).filter(([key]) => !recreated.some((topic) => isPartitionOf(key, topic)));
    journal.cursor = { ...rest, topics: incarnations, offsets: Object.fromEntries(kept) };
    return { incarnations: new Incarnations(incarnations), partitions, begins };
  } finally {
    await admin.disconnect();
  }
}

function reportLost({ journal, log }: SensorContext, lost: number): void {
  if (lost === 0) return;
  journal.count('lost', lost);
  log.warn('Retention has removed records before they were read', { lost });
}

/** The handler for the trigger's mode. */
async function handlerFor(context: HandlerContext, connection: KafkaConnection, kafka: Kafka): Promise<RecordHandler> {
  const { name, trigger } = context.sensor;
  const { mode } = trigger;
  switch (mode.kind) {
    case 'batch':
      return new RecordBatches(context, mode);
    case 'window': {
      const letters = trigger.onInvalid === 'dead_letter' ? await readDeadLetters(connection, name, trigger.name) : [];
      return new RecordWindows(context, mode, new Set(letters.map(({ origin }) => origin)), await backlogOf(kafka, context.sensor));
    }
    default:
      return new EachRecord(context);
  }
}

/** The end offsets of unread records, by partition. */
async function backlogOf(kafka: Kafka, { name, trigger }: SensorContext): Promise<Map<string, string>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const backlog = new Map<string, string>();
    const committed = await admin.fetchOffsets({ groupId: groupOf(name, trigger.name), topics: [...topicsOf({ trigger })] });
    for (const { topic, partitions } of committed) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        const next = partitions.find((each) => each.partition === partition)?.offset ?? '-1';
        if (BigInt(next) < BigInt(high)) backlog.set(keyOf({ topic, partition }), high);
      }
    }
    return backlog;
  } finally {
    await admin.disconnect();
  }
}

async function consume(
  source: RecordSource,
  handler: RecordHandler,
  sensor: SensorContext,
  changes: TopicChanges,
  lost: LostRecords,
): Promise<void> {
  const { name, trigger, journal, signal } = sensor;
  const lags = new Map<string, number>();
  const failed = linkedController(signal);
  const until = failed.signal;
  const ticking = Promise.all([tickAlong(handler, until), changes.watchAll(topicsOf({ trigger }), until)]).catch((error: unknown) =>
    failed.abort(error),
  );
  try {
    await source.consume({
      group: groupOf(name, trigger.name),
      topics: topicsOf({ trigger }),
      signal: failed.signal,
      joined() {
        journal.obstacle = undefined;
        if (trigger.parallelism > 1) lost.forget();
      },
      async handle(batch) {
        // The topic may have been recreated: its runs then get other ids, and it is read from the start.
        await changes.check(batch.topic);
        const missing = lost.before(batch);
        await handler.handle(batch);
        lost.after(batch);
        reportLost(sensor, missing);
        journal.obstacle = undefined;
        lags.set(keyOf(batch), batch.lag);
        journal.lag = [...lags.values()].reduce((sum, lag) => sum + lag, 0);
      },
    });
    if (!signal.aborted && failed.signal.aborted) throw failed.signal.reason;
  } finally {
    failed.abort();
    await ticking;
  }
}

async function tickAlong(handler: RecordHandler, signal: AbortSignal): Promise<void> {
  if (!handler.tick) return;
  for (;;) {
    await delay(TICK, undefined, { signal });
    await handler.tick();
  }
}
