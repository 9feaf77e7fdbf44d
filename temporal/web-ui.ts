import type { Environment } from '../lib/environment.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/runs/search-attributes.ts';
import type { RunReference } from './runs/runs.ts';

/** The address of the Temporal web UI, if the environment sets it (`SLUICE_TEMPORAL_UI`; the local stack does). */
export function webUi(environment: Environment): string | undefined {
  return environment.SLUICE_TEMPORAL_UI?.replace(/\/$/, '');
}

/** Selects the runs of a list in the UI. */
export interface RunFilter {
  /** Runs of one pipeline; absent: all. */
  readonly dagId?: string | undefined;
  /** Further conditions, in Temporal's query language. */
  readonly query?: string | undefined;
}

/** The list of runs, without Sluice's other workflows (sensors, pools, monitors); undefined if the address of the UI is unknown. */
export function runsUrl(environment: Environment, namespace: string, { dagId, query }: RunFilter = {}): string | undefined {
  const base = webUi(environment);
  const { cause, pipeline } = SEARCH_ATTRIBUTES;
  const conditions = [
    dagId === undefined ? `${cause.name} IS NOT NULL` : `${pipeline.name} = ${JSON.stringify(dagId)}`,
    ...(query === undefined ? [] : [query]),
  ];
  return base && `${base}/namespaces/${namespace}/workflows?query=${encodeURIComponent(conditions.join(' AND '))}`;
}

/** The page of one run; undefined if the address of the UI is unknown. */
export function runUrl(environment: Environment, namespace: string, run: RunReference): string | undefined {
  const base = webUi(environment);
  return base && `${base}/namespaces/${namespace}/workflows/${encodeURIComponent(run.pipelineRunId)}/${run.temporalRunId}/history`;
}
