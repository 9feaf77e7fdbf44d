import type { Environment } from '../lib/environment.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/search-attributes.ts';
import type { RunReference } from './runs.ts';

/** Where the Temporal web UI is, when the environment says so (`SLUICE_TEMPORAL_UI`; the local stack sets it). */
export function webUi(environment: Environment): string | undefined {
  return environment.SLUICE_TEMPORAL_UI?.replace(/\/$/, '');
}

/** The list of runs, without the other workflows of Sluice (sensors, pools, monitors), or undefined when it is not known where the UI is. */
export function runsUrl(environment: Environment, namespace: string): string | undefined {
  const base = webUi(environment);
  const query = `${SEARCH_ATTRIBUTES.cause.name} IS NOT NULL`;
  return base && `${base}/namespaces/${namespace}/workflows?query=${encodeURIComponent(query)}`;
}

/** The page of one run, or undefined when it is not known where the UI is. */
export function runUrl(environment: Environment, namespace: string, run: RunReference): string | undefined {
  const base = webUi(environment);
  return base && `${base}/namespaces/${namespace}/workflows/${encodeURIComponent(run.pipelineRunId)}/${run.temporalRunId}/history`;
}
