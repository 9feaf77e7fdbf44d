import type { Environment } from '../lib/environment.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/runs/search-attributes.ts';
import type { RunReference } from './runs/runs.ts';

/** Where the Temporal web UI is, when the environment says so (`SLUICE_TEMPORAL_UI`; the local stack sets it). */
export function webUi(environment: Environment): string | undefined {
  return environment.SLUICE_TEMPORAL_UI?.replace(/\/$/, '');
}

/** Which runs a list in the UI shows. */
export interface RunFilter {
  /** Those of one pipeline; absent: all. */
  readonly dagId?: string | undefined;
  /** Further conditions, in Temporal's query language. */
  readonly query?: string | undefined;
}

/** The list of runs, without the other workflows of Sluice (sensors, pools, monitors), or undefined when it is not known where the UI is. */
export function runsUrl(environment: Environment, namespace: string, { dagId, query }: RunFilter = {}): string | undefined {
  const base = webUi(environment);
  const { cause, pipeline } = SEARCH_ATTRIBUTES;
  const conditions = [
    dagId === undefined ? `${cause.name} IS NOT NULL` : `${pipeline.name} = ${JSON.stringify(dagId)}`,
    ...(query === undefined ? [] : [query]),
  ];
  return base && `${base}/namespaces/${namespace}/workflows?query=${encodeURIComponent(conditions.join(' AND '))}`;
}

/** The page of one run, or undefined when it is not known where the UI is. */
export function runUrl(environment: Environment, namespace: string, run: RunReference): string | undefined {
  const base = webUi(environment);
  return base && `${base}/namespaces/${namespace}/workflows/${encodeURIComponent(run.pipelineRunId)}/${run.temporalRunId}/history`;
}
