import type { Plan } from '../../workflows/plan/plan.ts';
import type { Source } from '../read/source.ts';

/** Reports files that declare the `dag_id` of another file. @param plans of the files, in the same order */
export function checkTwins(files: readonly { readonly source: Source }[], plans: readonly (Plan | undefined)[]): void {
  const owners = new Map<string, string>();
  for (const [index, { source }] of files.entries()) {
    const plan = plans[index];
    if (!plan) continue;
    const other = owners.get(plan.dagId);
    if (other === undefined) owners.set(plan.dagId, source.file);
    else source.report('SL304', ['dag_id'], `'${plan.dagId}' is also the dag_id of ${other}.`, 'give each pipeline a different dag_id');
  }
}
