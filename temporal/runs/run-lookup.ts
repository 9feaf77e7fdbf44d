import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { FoundRun, RunLookup } from '../../activities/run/run-lookup.ts';
import { RecentMap } from '../../lib/recent-map.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { ofDeployment } from '../names.ts';
import { describeRun, summaryOf } from './runs.ts';
import { taskStateOf } from './task-state-of-run.ts';

/** Number of newest runs that are checked. */
const MOST = 100;

/** On SQLite the server compares times as text, with and without fractions of a second, so that equality never matches. */
function justAfter(time: string): string {
  return iso(Date.parse(time) + 1_000);
}

/** Maximum number of runs whose deployment is remembered. */
const MAX_REMEMBERED = 1_000;

/** The queries that tasks make about runs. */
export function createRunLookup(client: Client): RunLookup {
  // A task may run on another task queue than its run, which has that of its deployment.
  const deployments = new RecentMap<string>(MAX_REMEMBERED);
  const deploymentOf = async (run: string): Promise<string> => {
    const known = deployments.get(run) ?? (await client.workflow.getHandle(run).describe()).taskQueue;
    deployments.set(run, known);
    return known;
  };
  return {
    async find({ dagId, interval, start, end, askedBy }) {
      const { pipeline, interval: since, intervalEnd: until } = SEARCH_ATTRIBUTES;
      const which = {
        same: ` AND ${since.name} >= "${start}" AND ${since.name} < "${justAfter(start)}"`,
        covering: ` AND ${since.name} < "${justAfter(start)}" AND ${until.name} >= "${end}"`,
        latest: '',
      }[interval];
      const query = `${pipeline.name} = ${JSON.stringify(dagId)}${which}${ofDeployment(await deploymentOf(askedBy))}`;
      const found: FoundRun[] = [];
      for await (const info of client.workflow.list({ query, pageSize: MOST })) {
        const { pipelineRunId, state, interval: itsStart } = summaryOf(info);
        if (interval === 'same' && Date.parse(itsStart ?? '') !== Date.parse(start)) continue;
        found.push({ run_id: pipelineRunId, state });
        if (found.length >= (interval === 'latest' ? 1 : MOST)) break;
      }
      return found;
    },

    async taskState(pipelineRunId, task) {
      return taskStateOf(client, await describeRun(client, { pipelineRunId }), task);
    },

    async isUnderWay(pipelineRunId) {
      try {
        return (await client.workflow.getHandle(pipelineRunId).describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
}
