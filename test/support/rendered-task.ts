import { Evaluator } from '../../workflows/plan/expressions/evaluator.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { planOf } from './yaml-runs.ts';

/** The parameters of the first task in a pipeline file, with expressions evaluated as in a run. */
export function renderedTask(yaml: string, params: JsonObject): JsonObject {
  const plan = planOf(yaml);
  const [task] = plan.tasks;
  if (!task) throw new Error('The file has no task.');
  return new Evaluator(plan.shapes, plan.dateZone).renderParams(task.params, task.templates ?? [], { params });
}
