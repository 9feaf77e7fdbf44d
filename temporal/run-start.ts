import type { WorkflowStartOptions } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { describeCause, describePlan, describeSchedule } from '../workflows/plan/describe.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { Cause, RunInput } from '../workflows/plan/run.ts';
import type { DataInterval } from '../workflows/plan/schedule.ts';
import { searchAttribute } from './search-attributes.ts';

/** What every start of a run has in common, whether a person, a sensor or a Schedule starts it: what Temporal shows and searches by. */
export function runStart(
  plan: Plan,
  cause: Cause,
  taskQueue: string,
  interval?: DataInterval,
): Pick<WorkflowStartOptions, 'taskQueue' | 'staticSummary' | 'staticDetails'> & {
  args: [RunInput];
  typedSearchAttributes: SearchAttributePair[];
} {
  return {
    taskQueue,
    args: [{ plan, cause, ...(interval && { interval }) }],
    staticSummary: describeCause(cause, interval ? `data of ${interval.start} – ${interval.end}` : describeSchedule(plan.schedule)),
    staticDetails: describePlan(plan),
    typedSearchAttributes: [
      searchAttribute('pipeline', plan.dagId),
      searchAttribute('cause', cause),
      searchAttribute('state', 'running'),
      searchAttribute('planHash', plan.hash),
      ...(plan.owner === undefined ? [] : [searchAttribute('owner', plan.owner)]),
      ...(interval ? [searchAttribute('interval', new Date(interval.start))] : []),
    ],
  };
}
