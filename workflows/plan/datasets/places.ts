/** A place outside of Sluice that tasks write to and triggers watch. */
export interface Place {
  readonly kind: 'S3' | 'Kafka topic' | 'RabbitMQ queue';
  /** The name of a topic or queue; for S3 objects, `bucket/` and the prefix of their keys. */
  readonly name: string;
}

/** A place that a trigger watches. */
export interface WatchedPlace extends Place {
  /** For S3: whether the trigger accepts a file of this name; absent: it accepts every file. */
  accepts?(file: string): boolean;
}

/** The names of files that tasks write. */
const FILES = ['part-00000-1.csv', 'part-00000-1.csv.gz', 'part-00000-1.jsonl', 'part-00000-1.jsonl.gz', 'manifest.json'];

/** Whether the watcher of `watched` sees what is written to `written`, judging by names only. */
export function isSeen(written: Place, watched: WatchedPlace): boolean {
  if (written.kind !== watched.kind) return false;
  if (written.kind !== 'S3') return written.name === watched.name;
  if (!written.name.startsWith(watched.name) && !watched.name.startsWith(written.name)) return false;
  return watched.accepts === undefined || FILES.some((file) => watched.accepts?.(file));
}
