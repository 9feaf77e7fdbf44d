import type { Json } from '../../../workflows/plan/values/json.ts';
import { userFault } from '../../run/errors.ts';
import { METRICS_NAME } from './job-files.ts';
import type { Metrics } from './model-registry.ts';

/**
 * Validates the metrics that a program reports.
 * @param metrics the program's JSON
 * @param who the program, for messages
 * @throws ApplicationFailure `DataMismatch` when it is not a map of numbers: a model that cannot be measured is not usable
 */
export function readMetrics(metrics: Json | undefined, who: string): Metrics {
  if (metrics === undefined) return {};
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) {
    throw userFault('DataMismatch', `${METRICS_NAME} of ${who} is not a map. Write names with numbers: {"ndcg_at_10": 0.31}.`);
  }
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      const given = typeof value === 'number' ? String(value) : JSON.stringify(value);
      throw userFault('DataMismatch', `'${name}' in ${METRICS_NAME} of ${who} is ${given}, and must be a finite number.`);
    }
  }
  return metrics as Metrics;
}
