import type { Client } from '@temporalio/client';
import type proto from '@temporalio/proto';
import type { Environment } from '../../lib/environment.ts';
import { attemptsOf, type FailureQuestion, type HostFacts } from '../../workflows/plan/tasks/failure.ts';
import { ITEMS_WORKFLOW } from '../../workflows/plan/tasks/items.ts';
import { runUrl } from '../web-ui.ts';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** The activities for failure handlers: only a worker knows the address of the web UI and can read the run's history. */
export function createFailureActivities(client: Client, environment: Environment) {
  return {
    /** Reads the history only if attempts are requested. */
    async failure_facts({ workflowId, runId, task, wanted }: FailureQuestion): Promise<HostFacts> {
      const page = runUrl(environment, client.options.namespace, { pipelineRunId: workflowId, temporalRunId: runId });
      const attempts = wanted.includes('attempts') ? attemptsOf(task, await triedIn(client, workflowId, runId, task)) : 1;
      return { attempts, run_url: page ?? '' };
    },
  };
}

/** Counts the attempts of the activities of a run, including those in the parts of a task's long list, and its runs of other pipelines. */
async function triedIn(client: Client, workflowId: string, runId: string, task: string): Promise<[id: string, attempts: number][]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const tried = new Map<string, number>();
  const scheduled = new Map<string, string>();
  const parts: [workflowId: string, runId: string][] = [];
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: activity, activityTaskStartedEventAttributes: attempt } = event;
    if (activity?.activityId) scheduled.set(String(event.eventId), activity.activityId);
    if (attempt) tried.set(scheduled.get(String(attempt.scheduledEventId)) ?? '', attempt.attempt ?? 1);
    const child = childOf(event, workflowId);
    if (child === undefined) continue;
    // Parts of a list have ids such as `task/3` and contain its items; runs of a task have `task`, `task@2`.
    if (child.isPart) {
      if (/^[^[#/]*/.exec(child.id)?.[0] === /^[^[#/]*/.exec(task)?.[0]) parts.push([child.workflowId, child.runId]);
    } else tried.set(child.id, (tried.get(child.id) ?? 0) + 1);
  }
  const inParts = await Promise.all(parts.map(([id, run]) => triedIn(client, id, run, task)));
  return [...tried, ...inParts.flat()];
}

/** The child workflow that an event started, by the suffix of its id after the parent's, without the attempt number. */
function childOf(
  { childWorkflowExecutionStartedEventAttributes: started }: HistoryEvent,
  parentId: string,
): { id: string; isPart: boolean; workflowId: string; runId: string } | undefined {
  const { workflowId, runId } = started?.workflowExecution ?? {};
  const at = workflowId?.indexOf(`${parentId}/`) ?? -1;
  if (!workflowId || !runId || at < 0) return undefined;
  const id = workflowId.slice(at + parentId.length + 1).replace(/@\d+$/, '');
  return { id, isPart: started?.workflowType?.name === ITEMS_WORKFLOW, workflowId, runId };
}
