import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { type Incarnation, type Incarnations, metadataOf } from './incarnation.ts';

/** Positions that start nothing are committed together, after this many milliseconds at most. */
const COMMIT_EVERY = 1_000;

/** What a Kafka sensor remembers beside the offsets of its group, which brokers forget after some days without it. */
export interface KafkaCursor {
  /** The next offset, by `topic-partition`. */
  readonly offsets?: Readonly<Record<string, string>>;
  /** The incarnations of its topics; absent in what older releases have written. */
  readonly topics?: Readonly<Record<string, Incarnation>>;
  /** Windows that end up to here have been looked at. Milliseconds. */
  readonly closed?: number;
}

/** How far a consumer has come in each partition. */
export class Position {
  private readonly waiting = new Map<string, { readonly batch: RecordBatch; readonly offset: string }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: SensorJournal,
    private readonly letters: DeadLetters,
    private readonly incarnations: Incarnations,
  ) {}

  /** Everything before `offset` is done with. @param atOnce else soon: looking at a record twice that starts nothing harms nobody */
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

  /** The same, with dead letters that are written in one transaction with the commit. */
  async commitWithDeadLetters(letters: readonly DeadLetter[], batch: RecordBatch, offset: string): Promise<void> {
    // The transaction would not notice that the partition is another consumer's by now.
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

  /** Writes dead letters that are of no one record. */
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
    // What could not be committed is read again, and starts nothing.
    for (const { batch, offset } of due) batch.commit(offset, this.metadataOf(batch)).catch(() => undefined);
  }
}

/** A partition of a topic, in a word. */
export function keyOf({ topic, partition }: Pick<RecordBatch, 'topic' | 'partition'>): string {
  return `${topic}-${partition}`;
}
