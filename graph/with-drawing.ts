import type { Plan } from '../workflows/plan/plan.ts';
import { drawAscii } from './ascii.ts';
import { graphOfPlan } from './graph-of-plan.ts';

/** The largest graph drawn in the details of a run in the Temporal UI. A larger graph is listed instead: `describePlan`. */
const LARGEST_IN_DETAILS = { maxNodes: 30, maxColumns: 100 };

/**
 * Adds drawings of the tasks to a plan, and to the plans of the pipelines that it starts. Call it where a plan is passed to Temporal:
 * workflows start runs too, but cannot draw. The compiler does not draw, because drawing costs as much as compiling.
 * @returns the same object for the same plan
 */
export function withDrawing(plan: Plan): Plan {
  const known = drawn.get(plan);
  if (known) return known;
  const drawing = plan.drawing ?? drawAscii(graphOfPlan(plan), LARGEST_IN_DETAILS);
  const result: Plan = {
    ...plan,
    ...(plan.pipelines && {
      pipelines: Object.fromEntries(Object.entries(plan.pipelines).map(([dagId, child]) => [dagId, withDrawing(child)])),
    }),
    ...(drawing !== undefined && { drawing }),
  };
  drawn.set(plan, result);
  drawn.set(result, result);
  return result;
}

/** Caches drawings: each takes milliseconds, and a catch-up starts thousands of runs of one plan. */
const drawn = new WeakMap<Plan, Plan>();
