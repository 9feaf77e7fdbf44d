import type { Client } from '@temporalio/client';
import type { IntervalRun } from '../../workflows/plan/timetable/interval-coverage.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { VARIANT_MEMO } from '../../workflows/plan/runs/run-facts.ts';
import { dataIntervalAt, type DataInterval, iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { tickOf } from '../../workflows/plan/ids.ts';
import { ofDeployment } from '../names.ts';
import { NOT_BY_EVENTS } from '../search-attributes.ts';
import { summaryOf } from './runs.ts';

/**
 * Lists the runs of a pipeline whose data intervals overlap `[from, to)` (ISO 8601). The server's list may lag a moment behind. Excludes
 * runs that do not cover the schedule's data: those of events, and those with custom parameters.
 * @param taskQueue of the pipeline's deployment; absent: of all deployments
 */
export async function intervalRuns(
  client: Client,
  plan: Pick<Plan, 'dagId' | 'schedule'>,
  from: string,
  to: string,
  taskQueue?: string,
): Promise<IntervalRun[]> {
  const { pipeline, interval, intervalEnd } = SEARCH_ATTRIBUTES;
  // One second of margin on both sides: the dev server compares times as text in another format, and drops the last.
  const [least, most] = [iso(Date.parse(from) - 1000), iso(Date.parse(to) + 1000)];
  const known = `(${interval.name} <= ${JSON.stringify(most)} AND ${intervalEnd.name} >= ${JSON.stringify(least)})`;
  // A scheduled run records its interval with its first step; until a worker starts it, only its id contains the interval.
  const query = `${pipeline.name} = ${JSON.stringify(plan.dagId)} AND ${NOT_BY_EVENTS} AND (${known} OR ${interval.name} IS NULL)${ofDeployment(taskQueue)}`;
  const runs: IntervalRun[] = [];
  for await (const info of client.workflow.list({ query })) {
    const { pipelineRunId, state, interval: start, intervalEnd: end } = summaryOf(info);
    const about = start !== undefined && end !== undefined ? { start, end } : intervalOfTick(plan.schedule, pipelineRunId);
    if (!about || info.memo?.[VARIANT_MEMO] === true) continue;
    if (Date.parse(about.start) < Date.parse(to) && Date.parse(about.end) > Date.parse(from)) {
      runs.push({ interval: about, state, pipelineRunId });
    }
  }
  return runs;
}

function intervalOfTick(schedule: Plan['schedule'], pipelineRunId: string): DataInterval | undefined {
  const tick = tickOf(pipelineRunId);
  return tick === undefined ? undefined : dataIntervalAt(schedule, tick);
}

/** The activities of backfills. @param taskQueue of the deployment */
export function createIntervalActivities(client: Client, taskQueue: string) {
  return {
    interval_states: (plan: Pick<Plan, 'dagId' | 'schedule'>, from: string, to: string): Promise<IntervalRun[]> =>
      intervalRuns(client, plan, from, to, taskQueue),
  };
}
