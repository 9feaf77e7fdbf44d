import { RESERVED_DAG_IDS } from '../../workflows/plan/ids.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Source } from '../read/source.ts';

/** Reports a `dag_id` that would be confused with another name. */
export function checkDagId(source: Source, { dag_id: dagId }: JsonObject): void {
  if (typeof dagId !== 'string') return;
  const why = dagId in {} ? 'in JavaScript' : RESERVED_DAG_IDS.has(dagId) ? 'of Sluice: ids of other workflows begin with it' : undefined;
  if (why !== undefined) source.report('SL305', ['dag_id'], `'${dagId}' is a reserved name ${why}.`, 'choose another dag_id');
}
