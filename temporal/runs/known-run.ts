import type { WatchedRun } from '../../monitors/watched.ts';

/** A run as it is kept: what lists say, and what was found out once. */
export interface KnownRun {
  readonly dagId: string;
  readonly planHash: string;
  /** Whether a worker has begun it; undefined until the run itself was asked. */
  readonly hasStarted: boolean | undefined;
  readonly run: Omit<WatchedRun, 'plan' | 'startedAt' | 'hasStarted'>;
}
