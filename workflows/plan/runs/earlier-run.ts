import type { Json } from '../values/json.ts';

/** The activity that finds what became of the run which already has the id of a child. Wire data. */
export const EARLIER_RUN_ACTIVITY = 'earlier_run';

/** The question about that run. Wire data. */
export interface EarlierRunQuestion {
  readonly workflowId: string;
  /** When the execution of the parent started, ISO 8601. After a reset, the same execution starts its children again. */
  readonly since: string;
  /** Whether the parent waits for the end of its child. */
  readonly wait: boolean;
}

/**
 * `own`: this execution of the parent started it before a reset, and it succeeded or, unless the parent waits, is running.
 * `replaceable`: it has ended, and another execution of the parent started it or it did not succeed.
 */
export type EarlierRun = { readonly kind: 'own'; readonly result?: Json } | { readonly kind: 'replaceable' };
