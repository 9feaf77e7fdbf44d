import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import { keyOf } from './position.ts';

/**
 * Counts records that the broker removed before a running consumer read them. Kafka clients silently continue after the gap.
 * Records removed while no consumer runs are counted at its start: see `pinPosition`.
 */
export class LostRecords {
  private readonly expected: Map<string, bigint>;

  /** @param begins the consumer's start offsets, by `topic-partition` */
  constructor(begins: ReadonlyMap<string, string>) {
    this.expected = new Map([...begins].map(([key, offset]) => [key, BigInt(offset)]));
  }

  /** Forgets all partitions: another consumer may read a partition before it is assigned back. */
  forget(): void {
    this.expected.clear();
  }

  /** @returns the number of records missing between the previous batch and this one */
  before(batch: Pick<RecordBatch, 'topic' | 'partition' | 'from'>): number {
    const expected = this.expected.get(keyOf(batch));
    return expected === undefined ? 0 : Math.max(0, Number(BigInt(batch.from) - expected));
  }

  /** Call after the batch was handled. */
  after(batch: Pick<RecordBatch, 'topic' | 'partition' | 'next'>): void {
    this.expected.set(keyOf(batch), BigInt(batch.next));
  }
}
