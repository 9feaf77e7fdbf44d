import type { Reprocess } from '../timetable/interval-coverage.ts';
import { defineQuery, defineUpdate } from '../messages.ts';
import type { Plan } from '../plan.ts';
import type { OperatorRequest } from './decision.ts';

/** The workflow of a backfill: registered by name, which no `dag_id` can have. */
export const BACKFILL_WORKFLOW = 'SluiceBackfill';

/** What a backfill works on, and how far it is: the input of its workflow, also when it continues as new. Wire data. */
export interface BackfillInput {
  readonly plan: Plan;
  /** ISO 8601: intervals that begin in `[from, to]`. */
  readonly from: string;
  readonly to: string;
  /** No interval that was not complete then. */
  readonly until: string;
  readonly reprocess: Reprocess;
  readonly maxActive: number;
  /** Newest first. */
  readonly reverse: boolean;
  /** How many intervals the range has. */
  readonly total: number;
  /** Its runs have ids with both ends of their intervals. Absent in backfills that an earlier release started. */
  readonly wholeIntervals?: true;
  /** Intervals that ended before and have no run may have had one. ISO 8601; absent: Temporal has every run. */
  readonly expiredBefore?: string;
  readonly progress?: BackfillProgress;
}

export interface BackfillProgress {
  /** The start of the interval that was looked at last, in the order of the backfill. */
  readonly lookedAt?: string;
  readonly succeeded: number;
  readonly skipped: number;
  /** The starts of those that failed. */
  readonly failed: readonly string[];
  readonly paused?: { readonly by: string; readonly reason?: string };
}

/** What a backfill says of itself, when it is asked and when it has ended. */
export interface BackfillReport extends BackfillProgress {
  readonly total: number;
}

/** What a backfill takes. */
export const PAUSE_BACKFILL = defineUpdate<string, [OperatorRequest]>('pause');
export const RESUME_BACKFILL = defineUpdate<string, [OperatorRequest]>('resume');
export const BACKFILL_QUERY = defineQuery<BackfillReport>('progress');

/** A year of minutes, about: what somebody may mean, and what a typo does not fill a server with. */
export const MAX_INTERVALS = 100_000;

/** `<dag_id>/backfills/<from>/<to>`: two of one range cannot go on at the same time. */
export function backfillId(dagId: string, from: string, to: string): string {
  return `${dagId}/backfills/${from}/${to}`;
}
