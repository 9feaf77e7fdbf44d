import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import {
  MONITOR_WORKFLOW,
  monitorId,
  type MonitorInput,
  monitorQueue,
  type MonitorSettings,
  PROBE_WORKFLOW,
  probeId,
  DEFAULT_MONITOR_SETTINGS,
} from '../../workflows/plan/incidents/incident.ts';
import { searchAttribute } from '../search-attributes.ts';

/** Starts the monitor of a deployment, and the probe that shows whether its workers answer, if they do not run. Idempotent. */
export async function ensureMonitor(
  client: Client,
  taskQueue: string,
  settings: MonitorSettings = DEFAULT_MONITOR_SETTINGS,
): Promise<void> {
  const input: MonitorInput = { taskQueue, settings };
  await Promise.all([
    ensureProbe(client, taskQueue),
    startOnce(
      client,
      MONITOR_WORKFLOW,
      monitorId(taskQueue),
      monitorQueue(taskQueue),
      [input],
      `Watches the pipelines of ${taskQueue}`,
      taskQueue,
    ),
  ]);
}

/** Starts the probe of a deployment if it does not run. */
export function ensureProbe(client: Client, taskQueue: string): Promise<void> {
  return startOnce(client, PROBE_WORKFLOW, probeId(taskQueue), taskQueue, [], 'Answers monitors, and does nothing else');
}

async function startOnce(
  client: Client,
  workflowType: string,
  workflowId: string,
  taskQueue: string,
  args: unknown[],
  staticSummary: string,
  deployment = taskQueue,
): Promise<void> {
  try {
    await client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      args,
      staticSummary,
      typedSearchAttributes: [searchAttribute('queue', deployment)],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
