import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { type Incarnation, type Incarnations, metadataOf } from './incarnation.ts';

/** Offsets of records that start no runs are committed together, after at most this many milliseconds. */
const COMMIT_EVERY = 1_000;

/** A Kafka sensor's copy of its group's offsets, which brokers delete after some days without a consumer. */
export interface KafkaCursor {
  /** The next offset, by `topic-partition`. */
  readonly offsets?: Readonly<Record<string, string>>;
  /** The incarnations of its topics; absent in cursors of older releases. */
  readonly topics?: Readonly<Record<string, Incarnation>>;
  /** Windows that end at or before this time are processed. Milliseconds. */
  readonly closed?: number;
}

/** The position of a consumer in each partition. */
export class Position {
  private readonly waiting = new Map<string, { readonly batch: RecordBatch; readonly offset: string }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: SensorJournal,
    private readonly letters: DeadLetters,
    private readonly incarnations: Incarnations,
  ) {}

  /** Marks everything before `offset` as done. @param atOnce otherwise soon: reading again a record that starts no run is harmless */
  async reach(batch: RecordBatch, offset: string, atOnce: boolean): Promise<void> {
    const key = keyOf(batch);
    this.remember(key, offset);
    if (atOnce) {
      this.waiting.delete(key);
      return batch.commit(offset, this.metadataOf(batch));
    }
    this.waiting.set(key, { batch, offset });
    this.timer ??= setTimeout(() => this.flush(), COMMIT_EVERY);
  }

  /** Like `reach`, but commits in one transaction with dead letters. */
  async commitWithDeadLetters(letters: readonly DeadLetter[], batch: RecordBatch, offset: string): Promise<void> {
    // The transaction would not detect that the partition was assigned to another consumer.
    await batch.alive();
    await this.letters.write(letters, {
      topic: batch.topic,
      partition: batch.partition,
      next: offset,
      metadata: this.metadataOf(batch),
      originOf: (record) => this.incarnations.originOf(record),
    });
    this.waiting.delete(keyOf(batch));
    this.remember(keyOf(batch), offset);
  }

  /** Writes dead letters that do not belong to a single record. */
  writeDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    return this.letters.write(letters);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.letters.close();
  }

  private metadataOf({ topic }: RecordBatch): string | undefined {
    return metadataOf(this.incarnations.of(topic));
  }

  private remember(key: string, offset: string): void {
    const { offsets, ...rest } = (this.journal.cursor ?? {}) as KafkaCursor;
    this.journal.cursor = { ...rest, offsets: { ...offsets, [key]: offset } };
  }

  private flush(): void {
    this.timer = undefined;
    const due = [...this.waiting.values()];
    this.waiting.clear();
    // If a commit fails, the records are read again, and start no run.
    for (const { batch, offset } of due) batch.commit(offset, this.metadataOf(batch)).catch(() => undefined);
  }
}

/** The key of a topic's partition. */
export function keyOf({ topic, partition }: Pick<RecordBatch, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`;
}
