import { type Client, Client as TemporalClient, WorkflowNotFoundError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { Environment } from '../../lib/environment.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import type { Scrubber } from '../../lib/scrubbing/scrub.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { MONITOR_QUERY, monitorId, monitorQueue, type MonitorState } from '../../workflows/plan/incidents/incident.ts';
import { answerIfAny } from '../answer.ts';
import { dataConverterFrom } from '../codec/codec.ts';
import { connectWorker } from '../worker/connect-worker.ts';
import { TemporalFacts } from './monitor-facts.ts';
import { scrubbedActivities } from '../worker/scrub-exits.ts';
import { groupOf, type ConnectedWorkers } from '../worker/worker-group.ts';
import type { Activities } from '../worker/worker-process.ts';
import { workflowBundle } from '../worker/workflow-bundle.ts';

/**
 * Creates workers that monitor the deployments of `queues`, separate from those that run their pipelines.
 * @param activities creates the monitors' activities from the facts about Temporal
 * @param onChange called when a pipeline is edited
 * @param secrets of the environment; default: with the built-in connection types
 * @throws TemporalUnavailable, SettingError
 */
export async function createMonitorWorkers(
  environment: Environment,
  queues: readonly string[],
  activities: (facts: TemporalFacts) => Activities,
  onChange: (before: Plan, after: Plan) => void,
  secrets: Scrubber = scrubberOf(environment),
): Promise<ConnectedWorkers> {
  const dataConverter = dataConverterFrom(environment);
  const { connection, namespace } = await connectWorker(environment);
  const client = new TemporalClient({ connection, namespace, dataConverter });
  const bundle = await workflowBundle('monitors', dataConverter);
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create({
        connection,
        namespace,
        taskQueue: monitorQueue(taskQueue),
        dataConverter,
        workflowBundle: bundle,
        interceptors: { activity: [scrubbedActivities(secrets)] },
        activities: activities(new TemporalFacts(client, taskQueue, environment, onChange)),
        stickyQueueScheduleToStartTimeout: '2s',
        maxHeartbeatThrottleInterval: '2s',
        shutdownGraceTime: '2s',
      }),
    ),
  );
  return { client, ...groupOf(workers, connection) };
}

/** Workers for the monitors of deployments. */
export type MonitorGroup = ConnectedWorkers;

/** Asks the monitor of a deployment for its state; undefined if it does not exist or no worker answers. */
export async function askMonitor(client: Client, taskQueue: string): Promise<MonitorState | undefined> {
  const handle = client.workflow.getHandle(monitorId(taskQueue));
  try {
    return await answerIfAny(client, handle.workflowId, () => handle.query(MONITOR_QUERY));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
