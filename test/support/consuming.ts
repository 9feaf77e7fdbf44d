import type { KafkaRecord, RecordBatch, RecordSource } from '../../lib/kafka/record-source.ts';

/** A member of a consumer group that records its batches. */
export class Consuming {
  readonly records: KafkaRecord[] = [];
  /** Settles when `consume` ends. */
  readonly done: Promise<void>;
  private readonly stopping = new AbortController();

  /** @param handle also called with each batch; absent: commits the batch */
  constructor(
    source: RecordSource,
    topics: readonly string[],
    group: string,
    handle: (batch: RecordBatch) => Promise<void> = (batch) => batch.commit(),
  ) {
    this.done = source.consume({
      group,
      topics,
      signal: this.stopping.signal,
      handle: (batch) => {
        this.records.push(...batch.records);
        return handle(batch);
      },
    });
    this.done.catch(() => undefined);
  }

  /** The values of the records so far, as text. */
  get values(): (string | undefined)[] {
    return this.records.map(({ value }) => value?.toString());
  }

  /** Aborted when the consumer is asked to stop. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.done;
  }
}
