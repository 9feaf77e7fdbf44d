import v8 from 'node:v8';
import { Client } from '@temporalio/client';
import { errors, Runtime, Worker } from '@temporalio/worker';
import type { RunLookup } from '../../activities/run/run-lookup.ts';
import type { RunStarts } from '../../sensors/run/run-starts.ts';
import type { Environment } from '../../lib/environment.ts';
import type { Log } from '../../lib/logging.ts';
import type { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import { sensorQueue } from '../../workflows/plan/sensor.ts';
import { dataConverterFrom } from '../codec/codec.ts';
import { connectWorker } from './connect-worker.ts';
import { withUnknown } from './known-activities.ts';
import { createRunLookup } from '../runs/run-lookup.ts';
import { scrubbedActivities, scrubbedSignals } from './scrub-exits.ts';
import { createSensorStarts } from '../sensors/sensor-starts.ts';
import { createRunActivities } from './run-activities.ts';
import { groupOf, type ConnectedWorkers } from './worker-group.ts';
import { workflowBundle } from './workflow-bundle.ts';

export type Activities = Record<string, (...input: never[]) => Promise<unknown>>;

/** Time for running tasks to finish or reach a resume point when this worker is asked to stop. */
export const SHUTDOWN_GRACE = '10s';

/** Routes the Temporal SDK's messages into `log`. Call it once per process, before using the SDK. */
export function installRuntime(log: Log): void {
  // The SDK records a stack trace for each promise in workflows, only for a debugging query. That takes half the CPU time of a run (a
  // fan-out of 500 tasks: 2.2 s with, 1.5 s without). The limit applies only to code loaded from now on: workflows, not activities.
  v8.setFlagsFromString('--stack-trace-limit=0');
  // A worker that stops closes its poll while the server may be handing it a task; that task is then lost until its heartbeat times out.
  // The SDK waits this many milliseconds for tasks in transit (of 480 runs while a worker stopped: 8 lost a task without, 1 with).
  process.env.TEMPORAL_POLL_SHUTDOWN_INTERRUPT_WAIT_MS ??= '500';
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: object) => log[level](message, fields);
  Runtime.install({
    logger: {
      // The SDK's INFO messages are for its developers: worker states, bundle sizes.
      log: (level, message, fields) =>
        write(level === 'INFO' || level === 'TRACE' ? 'debug' : (level.toLowerCase() as 'debug' | 'warn' | 'error'))(message, fields),
      trace: write('debug'),
      debug: write('debug'),
      info: write('debug'),
      warn: write('warn'),
      error: write('error'),
    },
    // Logs of the native part bypass the scrubber and could contain secrets, so forward them.
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    shutdownSignals: [],
  });
}

/** Whether an error in a callback comes from the Temporal SDK itself: the SDK's state is then undefined. */
export function isSdkFailure(error: unknown): boolean {
  if (error instanceof errors.UnexpectedError || error instanceof errors.TransportError || error instanceof errors.ShutdownError)
    return true;
  const [frame = ''] = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return /node_modules[/\\]@temporalio[/\\](worker|core-bridge)[/\\]/.test(frame);
}

/** Sensors wait for events permanently; each one occupies a slot. */
const SENSORS_AT_ONCE = 2_000;

/**
 * Creates workers for `queues` with the same activities and the interpreter, and one worker per queue for the sensors of its deployment.
 * @param sensors creates the sensors' activities from the run starter of a queue; absent: no sensors
 * @param secrets of the environment; default: with the built-in connection types
 * @throws TemporalUnavailable, SettingError
 */
export async function createWorkers(
  environment: Environment,
  queues: readonly string[],
  activities: (runs: RunLookup) => Activities,
  sensors?: (starts: RunStarts) => Activities,
  secrets: Scrubber = scrubberOf(environment),
): Promise<ConnectedWorkers> {
  const dataConverter = dataConverterFrom(environment);
  const { connection, namespace } = await connectWorker(environment);
  const client = new Client({ connection, namespace, dataConverter, interceptors: { workflow: [scrubbedSignals(secrets)] } });
  const own = activities(createRunLookup(client));
  const bundle = await workflowBundle('index', dataConverter);
  const workers = await Promise.all(
    queues.flatMap((taskQueue) => [
      Worker.create({
        connection,
        namespace,
        taskQueue,
        dataConverter,
        workflowBundle: bundle,
        interceptors: { activity: [scrubbedActivities(secrets)] },
        activities: withUnknown(client, { ...own, ...createRunActivities(client, environment, taskQueue) }),
        shutdownGraceTime: SHUTDOWN_GRACE,
        // The runs of a dead worker move to another one after this time; the default of 10 s doubles the damage of a short outage.
        stickyQueueScheduleToStartTimeout: '2s',
      }),
      ...(sensors
        ? [
            Worker.create({
              connection,
              namespace,
              taskQueue: sensorQueue(taskQueue),
              dataConverter,
              interceptors: { activity: [scrubbedActivities(secrets)] },
              activities: withUnknown(client, sensors(createSensorStarts(client, taskQueue, true))),
              maxConcurrentActivityTaskExecutions: SENSORS_AT_ONCE,
              // A sensor learns from a heartbeat's answer that it must stop; by default the SDK sends too few heartbeats.
              maxHeartbeatThrottleInterval: '3s',
              // Sensors stop within this time.
              shutdownGraceTime: '100ms',
            }),
          ]
        : []),
    ]),
  );
  return { client, ...groupOf(workers, connection) };
}
