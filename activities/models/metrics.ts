import type { Json } from '../../workflows/plan/json.ts';
import { userFault } from '../errors.ts';
import { METRICS_NAME } from './job-files.ts';
import type { Metrics } from './model-registry.ts';

/**
 * Reads what a program says that it has measured.
 * @param who the program, for messages
 * @throws ApplicationFailure `DataMismatch` when it is no map of numbers: a model that cannot be measured is none
 */
export function readMetrics(given: Json | undefined, who: string): Metrics {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw userFault('DataMismatch', `${METRICS_NAME} of ${who} is no map. Write names with numbers: {"ndcg_at_10": 0.31}.`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'number') {
      throw userFault('DataMismatch', `'${name}' in ${METRICS_NAME} of ${who} is ${JSON.stringify(value)}, and must be a finite number.`);
    }
  }
  return given as Metrics;
}
