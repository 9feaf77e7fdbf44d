import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import { keyOf } from './position.ts';

/**
 * Counts the records that the broker has removed before a running consumer has read them. Kafka clients go on behind them and say nothing.
 * Those that are removed while nothing runs are counted when the consumer begins: see `pinPosition`.
 */
export class LostRecords {
  private readonly expected: Map<string, bigint>;

  /** @param begins where the consumer begins, by `topic-partition` */
  constructor(begins: ReadonlyMap<string, string>) {
    this.expected = new Map([...begins].map(([key, offset]) => [key, BigInt(offset)]));
  }

  /** Others may read on in a partition that comes back later. */
  forget(): void {
    this.expected.clear();
  }

  /** @returns how many records lie between the batch before and this one that the consumer could not ask for */
  before(batch: Pick<RecordBatch, 'topic' | 'partition' | 'from'>): number {
    const expected = this.expected.get(keyOf(batch));
    return expected === undefined ? 0 : Math.max(0, Number(BigInt(batch.from) - expected));
  }

  /** The batch has been handled. */
  after(batch: Pick<RecordBatch, 'topic' | 'partition' | 'next'>): void {
    this.expected.set(keyOf(batch), BigInt(batch.next));
  }
}
