import type { Reprocess } from '../timetable/interval-coverage.ts';
import { defineQuery, defineUpdate } from '../messages.ts';
import type { Plan } from '../plan.ts';
import type { OperatorRequest } from './decision.ts';

export { backfillId } from '../ids.ts';

/** The workflow of a backfill. Its type is a name that no `dag_id` can have. */
export const BACKFILL_WORKFLOW = 'SluiceBackfill';

/** The settings and the progress of a backfill: the input of its workflow, also when it continues as new. Wire data. */
export interface BackfillInput {
  readonly plan: Plan;
  /** ISO 8601: the backfill covers intervals that start in `[from, to]`. */
  readonly from: string;
  readonly to: string;
  /** Excludes intervals that were not complete at this time. */
  readonly until: string;
  readonly reprocess: Reprocess;
  readonly maxActive: number;
  /** Newest first. */
  readonly reverse: boolean;
  /** The number of intervals in the range. */
  readonly total: number;
  /** The ids of its runs include both ends of the interval. Absent in backfills that an earlier release started. */
  readonly wholeIntervals?: true;
  /** Intervals that ended before this time and have no run may have had one. ISO 8601; absent: Temporal has kept every run. */
  readonly expiredBefore?: string;
  readonly progress?: BackfillProgress;
}

export interface BackfillProgress {
  /** The start of the last interval checked, in the order of the backfill. */
  readonly lookedAt?: string;
  readonly succeeded: number;
  readonly skipped: number;
  /** The starts of failed intervals. */
  readonly failed: readonly string[];
  readonly paused?: { readonly by: string; readonly reason?: string };
}

/** What a backfill reports when it is queried, and when it has ended. */
export interface BackfillReport extends BackfillProgress {
  readonly total: number;
}

/** Updates to a backfill. */
export const PAUSE_BACKFILL = defineUpdate<string, [OperatorRequest]>('pause');
export const RESUME_BACKFILL = defineUpdate<string, [OperatorRequest]>('resume');
export const BACKFILL_QUERY = defineQuery<BackfillReport>('progress');

/** About a year of minutes: enough for real use, and it stops a typo from flooding the server. */
export const MAX_INTERVALS = 100_000;
