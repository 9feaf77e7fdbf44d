import { join } from 'node:path';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../lib/environment.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/** The plan of a pipeline in `examples/integrations/pipelines/`. @throws Error with its mistakes */
export async function examplePlan(dagId: string): Promise<Plan> {
  const folder = join(ROOT, 'examples', 'integrations', 'pipelines');
  const compilations = new Compiler(CATALOG).compileAll(await loadPipelines(folder));
  const plan = compilations.find((each) => each.plan?.dagId === dagId)?.plan;
  if (!plan) throw new Error(JSON.stringify(compilations.flatMap(({ diagnostics }) => diagnostics)));
  return plan;
}
