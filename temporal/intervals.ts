import type { Client } from '@temporalio/client';
import { betterState, type IntervalState } from '../workflows/plan/intervals.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { dataIntervalAt, iso } from '../workflows/plan/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/plan/search-attributes.ts';
import { scheduledRunIdBase } from './names.ts';
import { summaryOf } from './runs.ts';

/**
 * How the data intervals of a pipeline stand that begin in `[from, to]` (ISO 8601), by their start: as the server's list of runs has them,
 * whatever started them. The list may lag a moment behind.
 */
export async function intervalStates(
  client: Client,
  plan: Pick<Plan, 'dagId' | 'schedule'>,
  from: string,
  to: string,
): Promise<Record<string, IntervalState>> {
  const { pipeline, interval } = SEARCH_ATTRIBUTES;
  // A second more on both sides: the dev server compares times as text of another form, and leaves out the last.
  const [least, most] = [iso(Date.parse(from) - 1000), iso(Date.parse(to) + 1000)];
  const known = `${interval.name} BETWEEN ${JSON.stringify(least)} AND ${JSON.stringify(most)}`;
  // A run that the clock has started says which interval it is about with its first step; until a worker takes it, its id says so.
  const query = `${pipeline.name} = ${JSON.stringify(plan.dagId)} AND (${known} OR ${interval.name} IS NULL)`;
  const states: Record<string, IntervalState> = {};
  for await (const info of client.workflow.list({ query })) {
    const run = summaryOf(info);
    const start = run.interval ?? startOfTick(plan, run.pipelineRunId);
    if (start === undefined || start < from || start > to) continue;
    states[start] = betterState(states[start], { state: run.state, pipelineRunId: run.pipelineRunId });
  }
  return states;
}

function startOfTick({ dagId, schedule }: Pick<Plan, 'dagId' | 'schedule'>, pipelineRunId: string): string | undefined {
  const base = `${scheduledRunIdBase(dagId)}-`;
  const tick = pipelineRunId.startsWith(base) ? Date.parse(pipelineRunId.slice(base.length)) : NaN;
  return Number.isNaN(tick) ? undefined : dataIntervalAt(schedule, tick).start;
}

/** What a backfill needs of a worker. */
export function createIntervalActivities(client: Client) {
  return {
    interval_states: (plan: Pick<Plan, 'dagId' | 'schedule'>, from: string, to: string): Promise<Record<string, IntervalState>> =>
      intervalStates(client, plan, from, to),
  };
}
