import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { createKafka } from '../../lib/kafka.ts';
import type { SensorContext } from '../define-trigger.ts';
import { stopped } from '../run-sensor.ts';
import { type DeadLetter, DeadLetters, deadLetterTopic } from './dead-letters.ts';
import { judgeRecord, originOf } from './judge-record.ts';
import { kafkajsSource } from './kafkajs-source.ts';
import type { RecordBatch, RecordSource } from './record-source.ts';
import { groupOf, pinPosition, topicsOf } from './start-position.ts';

/** A client that has failed is built anew after this many milliseconds. */
const REBUILD = 1_000;
/** Runs that are being started at the same time. */
const AT_ONCE = 50;
/** Batches without a match are committed together, after this many milliseconds at most. */
const COMMIT_EVERY = 1_000;
/** After so many records others get a turn: heartbeats above all. */
const TURN = 2_000;
/** How often the broker hears, in milliseconds, that a consumer lives which waits for Temporal. */
const ALIVE_EVERY = 2_000;

/** Reads topics, and starts the runs that their records ask for. An offset is committed when the server has all runs up to it, and not before. */
export async function runKafkaSensor(context: SensorContext): Promise<void> {
  const { journal, signal, log } = context;
  const kafka = createKafka(context.connection(['kafka']), 'sluice-sensor');
  const source = kafkajsSource(kafka);
  const deadLetters = (): DeadLetters =>
    new DeadLetters(kafka, groupOf(context.dagId, context.trigger.name), deadLetterTopic(context.dagId, context.trigger.name));
  for (;;) {
    signal.throwIfAborted();
    const letters = deadLetters();
    try {
      const admin = kafka.admin();
      await admin.connect();
      try {
        const lost = await pinPosition(admin, context, signal);
        if (lost > 0) {
          journal.count('lost', lost);
          log.warn('Retention has removed records before they were read', { lost });
        }
      } finally {
        await admin.disconnect();
      }
      await consume(context, source, letters);
    } catch (error) {
      if (signal.aborted || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      journal.obstacle = message;
      log.warn('The Kafka consumer is built anew', { reason: message });
    } finally {
      await letters.close();
    }
    await delay(REBUILD, undefined, { signal });
  }
}

async function consume(context: SensorContext, source: RecordSource, letters: DeadLetters): Promise<void> {
  const { journal, signal, dagId, trigger } = context;
  const lags = new Map<string, number>();
  const commits = new Commits();
  try {
    await source.consume({
      group: groupOf(dagId, trigger.name),
      topics: topicsOf(context),
      signal,
      async handle(batch) {
        const handled = await handleBatch(context, batch);
        journal.obstacle = undefined;
        lags.set(`${batch.topic}-${batch.partition}`, batch.lag);
        journal.lag = [...lags.values()].reduce((sum, lag) => sum + lag, 0);
        if (handled.letters.length > 0) {
          // The transaction would not notice that the partition is another consumer's by now.
          await batch.alive();
          await letters.write(handled.letters, batch);
          commits.forget(batch);
        } else await commits.done(batch, handled.matches > 0);
        journal.count('events', batch.records.length);
        journal.count('invalid', handled.invalid);
      },
    });
  } finally {
    commits.close();
  }
}

interface Handled {
  readonly matches: number;
  readonly invalid: number;
  readonly letters: readonly DeadLetter[];
}

/** Starts the runs of a batch; all of them are started when it resolves. */
async function handleBatch({ trigger, judge, runs, journal, signal }: SensorContext, batch: RecordBatch): Promise<Handled> {
  const letters: DeadLetter[] = [];
  const active = new Set<Promise<void>>();
  let failure: unknown;
  let matches = 0;
  let invalid = 0;
  const settle = async (most: number): Promise<void> => {
    while (active.size > most && failure === undefined) {
      await Promise.race([...active, delay(ALIVE_EVERY, undefined, { signal })]);
      await batch.alive();
    }
    if (failure !== undefined) throw failure;
  };
  let turn = 0;
  for (const record of batch.records) {
    if (++turn % TURN === 0) {
      signal.throwIfAborted();
      await batch.alive();
    }
    const verdict = judgeRecord(record, judge);
    if (verdict.kind === 'none') continue;
    if (verdict.kind === 'invalid') {
      const { reason } = verdict;
      invalid++;
      if (trigger.onInvalid === 'stop') throw stopped(`${originOf(record)} cannot be read: ${reason}`);
      if (trigger.onInvalid === 'dead_letter') letters.push({ record, reason });
      continue;
    }
    matches++;
    journal.count('matches');
    const start = runs.start(verdict.event, verdict, originOf(record));
    const tracked = start.then(
      () => void active.delete(tracked),
      (error: unknown) => ((failure ??= error), void active.delete(tracked)),
    );
    active.add(tracked);
    await settle(AT_ONCE - 1);
  }
  await settle(0);
  return { matches, invalid, letters };
}

/** Commits at once what has started runs, and the rest now and then: looking at a record twice that starts nothing harms nobody. */
class Commits {
  private readonly waiting = new Map<string, RecordBatch>();
  private timer: NodeJS.Timeout | undefined;

  async done(batch: RecordBatch, atOnce: boolean): Promise<void> {
    if (atOnce) {
      this.forget(batch);
      return batch.commit();
    }
    this.waiting.set(keyOf(batch), batch);
    this.timer ??= setTimeout(() => this.flush(), COMMIT_EVERY);
  }

  /** It was committed by other means. */
  forget(batch: RecordBatch): void {
    this.waiting.delete(keyOf(batch));
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    const batches = [...this.waiting.values()];
    this.waiting.clear();
    // What could not be committed is read again, and starts nothing.
    for (const batch of batches) batch.commit().catch(() => undefined);
  }
}

function keyOf({ topic, partition }: RecordBatch): string {
  return `${topic}-${partition}`;
}
