/** A record as the broker keeps it. What is read of it may be made then: to copy one, name what is copied; `...record` copies nothing. */
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
  /** The offset that was asked for. Behind `next` of the batch before, the broker has removed what lies between. */
  readonly from: string;
  /** The offset after the last record, those included that are none for consumers. */
  readonly next: string;
  /** How many records of the partition come after this batch. */
  readonly lag: number;
  /** Says that the consumer lives; often is not too often. @throws when the partition has gone to another consumer */
  alive(): Promise<void>;
  /** Commits `next`, or an offset before it. @param metadata is kept with it */
  commit(offset?: string, metadata?: string): Promise<void>;
}

export interface Subscription {
  readonly group: string;
  readonly topics: readonly string[];
  /** Handles a batch; one at a time for each partition. What it throws ends `consume`. */
  handle(batch: RecordBatch): Promise<void>;
  /** Called each time the consumer has joined its group. */
  joined?(): void;
  readonly signal: AbortSignal;
}

/**
 * A client that reads records as a member of a consumer group. Whatever stands behind it commits nothing by itself, hands a batch over again
 * that was not committed, and begins partitions for which nothing was ever committed, or whose records are gone from there on, at their
 * earliest record. test/lib/kafka/record-source.test.ts holds it to all of this.
 */
export interface RecordSource {
  /** Reads until the signal is aborted. @throws when the client cannot go on; a new call begins anew */
  consume(subscription: Subscription): Promise<void>;
}
