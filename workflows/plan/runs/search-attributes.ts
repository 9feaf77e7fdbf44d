import type { SearchAttributePair } from '@temporalio/common';

/**
 * What runs and schedules can be searched by in Temporal. The names begin with `Sluice` because a namespace is shared; at most ten may be
 * keywords, and at most two are times: Temporal's SQL visibility stores have room for ten and three in all. A name keeps its type for ever.
 * Each is a key of the Temporal SDK: `typedSearchAttributes.get(SEARCH_ATTRIBUTES.cause)`, `{ key: SEARCH_ATTRIBUTES.cause, value }`.
 */
export const SEARCH_ATTRIBUTES = {
  pipeline: { name: 'SluicePipeline', type: 'KEYWORD' },
  cause: { name: 'SluiceCause', type: 'KEYWORD' },
  /** The start of the data interval. */
  interval: { name: 'SluiceInterval', type: 'DATETIME' },
  intervalEnd: { name: 'SluiceIntervalEnd', type: 'DATETIME' },
  /** What Temporal's own `ExecutionStatus` does not say of a run: that it is queued or paused, or waits for people; that it ended before it had its turn, or without some items of its lists. Absent otherwise. */
  state: { name: 'SluiceState', type: 'KEYWORD' },
  /** When it must have ended, by the strictest of its pipeline's promises, as a text that sorts by time: `2024-01-31T06:00:00Z`. Runs of earlier releases have a time, `SluiceDeadline`. */
  deadline: { name: 'SluiceDueBy', type: 'KEYWORD' },
  owner: { name: 'SluiceOwner', type: 'KEYWORD' },
  planHash: { name: 'SluicePlanHash', type: 'KEYWORD' },
  /** The data sets that a run has made: its pipeline's outlets, once it has succeeded. */
  datasets: { name: 'SluiceDatasets', type: 'KEYWORD_LIST' },
  /** The task queue that a schedule's runs go to: which deployment a schedule belongs to. */
  queue: { name: 'SluiceQueue', type: 'KEYWORD' },
} as const satisfies Record<string, SearchAttributePair['key']>;
