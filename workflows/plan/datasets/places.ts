/** Something outside of Sluice that tasks write to, and that triggers watch. */
export interface Place {
  readonly kind: 'S3' | 'Kafka topic' | 'RabbitMQ queue';
  /** The name of a topic or queue; of objects `bucket/` and how their keys begin. */
  readonly name: string;
}

/** A place that a trigger watches. */
export interface WatchedPlace extends Place {
  /** S3: whether a file of this name is looked at; absent: every one is. */
  accepts?(file: string): boolean;
}

/** How the names of files end that tasks write. */
const FILES = ['part-00000-1.csv', 'part-00000-1.csv.gz', 'part-00000-1.jsonl', 'part-00000-1.jsonl.gz', 'manifest.json'];

/** Whether something that is written to `written` is seen by who watches `watched`, as far as names say. */
export function isSeen(written: Place, watched: WatchedPlace): boolean {
  if (written.kind !== watched.kind) return false;
  if (written.kind !== 'S3') return written.name === watched.name;
  if (!written.name.startsWith(watched.name) && !watched.name.startsWith(written.name)) return false;
  return watched.accepts === undefined || FILES.some((file) => watched.accepts?.(file));
}
