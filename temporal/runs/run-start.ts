import type { WorkflowStartOptions } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { withDrawing } from '../../graph/with-drawing.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { Cause, RunInput } from '../../workflows/plan/runs/run.ts';
import { runFacts } from '../../workflows/plan/runs/run-facts.ts';

/** The options to start a run from outside: by a person, a sensor or a Schedule. */
export function runStart(
  plan: Plan,
  cause: Cause,
  taskQueue: string,
  given: Parameters<typeof runFacts>[2] = {},
): Pick<WorkflowStartOptions, 'taskQueue' | 'staticSummary' | 'staticDetails' | 'memo'> & {
  args: [RunInput];
  typedSearchAttributes: SearchAttributePair[];
} {
  return { taskQueue, ...runFacts(withDrawing(plan), cause, given) };
}
