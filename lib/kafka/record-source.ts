/** A record as the broker stores it. Fields may be computed on access: copy fields by name, because `...record` copies nothing. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Milliseconds since 1970, as text. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Records of one partition, in order. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: Iterable<KafkaRecord>;
  readonly count: number;
  /** The requested offset. If it is after `next` of the previous batch, the broker removed the records in between. */
  readonly from: string;
  /** The offset after the last record, including markers that consumers do not see. */
  readonly next: string;
  /** Number of records in the partition after this batch. */
  readonly lag: number;
  /** Sends a heartbeat; frequent calls are cheap. @throws when the partition has moved to another consumer */
  alive(): Promise<void>;
  /** Commits `next`, or an offset before it. @param metadata stored with the offset */
  commit(offset?: string, metadata?: string): Promise<void>;
}

export interface Subscription {
  readonly group: string;
  readonly topics: readonly string[];
  /** Handles a batch; one at a time per partition. An error ends `consume`. */
  handle(batch: RecordBatch): Promise<void>;
  /** Called each time the consumer joins its group. */
  joined?(): void;
  readonly signal: AbortSignal;
}

/**
 * Reads records as a member of a consumer group. An implementation never commits automatically, delivers uncommitted batches again, and
 * starts at the earliest record if a partition has no committed offset or its records are gone. test/lib/kafka/record-source.test.ts
 * verifies all of this.
 */
export interface RecordSource {
  /** Reads until the signal is aborted. @throws when the client fails; a new call starts over */
  consume(subscription: Subscription): Promise<void>;
}
