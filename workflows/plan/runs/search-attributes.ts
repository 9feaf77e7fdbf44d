import type { SearchAttributePair } from '@temporalio/common';

/**
 * Search attributes of runs and schedules in Temporal. The names start with `Sluice` because namespaces are shared. At most ten may be
 * keywords and two may be times: Temporal's SQL visibility stores allow ten and three in total. The type of a name never changes. Each is a
 * key of the Temporal SDK: `typedSearchAttributes.get(SEARCH_ATTRIBUTES.cause)`, `{ key: SEARCH_ATTRIBUTES.cause, value }`.
 */
export const SEARCH_ATTRIBUTES = {
  pipeline: { name: 'SluicePipeline', type: 'KEYWORD' },
  cause: { name: 'SluiceCause', type: 'KEYWORD' },
  /** The start of the data interval. */
  interval: { name: 'SluiceInterval', type: 'DATETIME' },
  intervalEnd: { name: 'SluiceIntervalEnd', type: 'DATETIME' },
  /** States that `ExecutionStatus` of Temporal lacks: queued, paused, waiting, ended before its turn, partial success. Else absent. */
  state: { name: 'SluiceState', type: 'KEYWORD' },
  /** The earliest deadline of the run's SLAs, as sortable text: `2024-01-31T06:00:00Z`. Earlier releases set a time, `SluiceDeadline`. */
  deadline: { name: 'SluiceDueBy', type: 'KEYWORD' },
  owner: { name: 'SluiceOwner', type: 'KEYWORD' },
  planHash: { name: 'SluicePlanHash', type: 'KEYWORD' },
  /** The datasets that a successful run produced: its pipeline's outlets. */
  datasets: { name: 'SluiceDatasets', type: 'KEYWORD_LIST' },
  /** The task queue of a schedule's runs: identifies the schedule's deployment. */
  queue: { name: 'SluiceQueue', type: 'KEYWORD' },
} as const satisfies Record<string, SearchAttributePair['key']>;
