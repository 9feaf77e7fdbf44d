import { join } from 'node:path';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../lib/environment.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/** The plan of a pipeline in `examples/integrations/pipelines/`. @throws Error with its mistakes */
export async function examplePlan(dagId: string): Promise<Plan> {
  const file = join(ROOT, 'examples', 'integrations', 'pipelines', `${dagId}.yaml`);
  const [compilation] = new Compiler(CATALOG).compileAll(await loadPipelines(file));
  if (!compilation?.plan) throw new Error(JSON.stringify(compilation?.diagnostics));
  return compilation.plan;
}
