import { Worker } from '@temporalio/worker';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { createSensors } from '../../sensors/run/create-sensors.ts';
import { dataConverterFrom } from '../../temporal/codec/codec.ts';
import { withUnknown } from '../../temporal/worker/known-activities.ts';
import { connectWorker } from '../../temporal/worker/connect-worker.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { sensorQueue } from '../../workflows/plan/sensor.ts';
import type { Activities } from '../../temporal/worker/worker-process.ts';
import { startTestWorker, type TestWorker } from './temporal-worker.ts';
import { toyActivities } from './toy-activities.ts';

/** Starts a worker for runs and sensors on a separate task queue. */
export async function startSensorWorker(environment: Environment, activities: Activities = toyActivities): Promise<TestWorker> {
  const runs = await startTestWorker(environment, activities);
  const { connection, namespace } = await connectWorker(environment);
  const starts = createSensorStarts(runs.client, runs.taskQueue);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: sensorQueue(runs.taskQueue),
    dataConverter: dataConverterFrom(environment),
    activities: withUnknown(runs.client, createSensors(TRIGGERS, { connections: connectionsFrom(environment), starts })),
    maxHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: '100ms',
  });
  const running = worker.run();
  return {
    ...runs,
    async close() {
      worker.shutdown();
      await running;
      await connection.close();
      await runs.close();
    },
  };
}
