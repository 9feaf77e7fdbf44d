import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { Environment } from '../../lib/environment.ts';
import { dataConverterFrom } from '../../temporal/codec/codec.ts';
import { connectClient } from '../../temporal/connect.ts';
import { connectWorker } from '../../temporal/worker/connect-worker.ts';
import { withUnknown } from '../../temporal/worker/known-activities.ts';
import { createRunActivities } from '../../temporal/worker/run-activities.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { createLog } from '../../lib/logging.ts';
import { type Activities, installRuntime } from '../../temporal/worker/worker-process.ts';
import type { WorkflowCode } from '../../temporal/worker/kept-bundle.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';

installRuntime(createLog('test worker', 'error'));

export interface TestWorker {
  readonly client: Client;
  readonly taskQueue: string;
  close(): Promise<void>;
}

/** Starts a client and a worker with these activities, by default on a new task queue and with the interpreter as workflows. */
export async function startTestWorker(
  environment: Environment,
  activities: Activities,
  taskQueue = `test-${randomUUID()}`,
  workflows?: WorkflowCode,
): Promise<TestWorker> {
  const client = await connectClient(environment);
  await ensureSearchAttributes(client);
  const { connection, namespace } = await connectWorker(environment);
  const dataConverter = dataConverterFrom(environment);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    dataConverter,
    // A cancellation reaches an activity with the response to its heartbeat.
    maxHeartbeatThrottleInterval: '200ms',
    // As in production: the runs of a closed worker move to another worker after this time.
    stickyQueueScheduleToStartTimeout: '2s',
    workflowBundle: workflows ?? (await workflowBundle('index', dataConverter)),
    activities: withUnknown(client, { ...activities, ...createRunActivities(client, environment, taskQueue) }),
  });
  const running = worker.run();
  return {
    client,
    taskQueue,
    async close() {
      worker.shutdown();
      await running;
      await connection.close();
      await client.connection.close();
    },
  };
}
