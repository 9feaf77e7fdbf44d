import type { WatchedRun } from '../../monitors/watched.ts';

/** A cached run: what lists contain, and facts that were read once. */
export interface KnownRun {
  readonly dagId: string;
  readonly planHash: string;
  /** Whether a worker has started it; undefined until the run itself was queried. */
  readonly hasStarted: boolean | undefined;
  readonly run: Omit<WatchedRun, 'plan' | 'startedAt' | 'hasStarted'>;
}
