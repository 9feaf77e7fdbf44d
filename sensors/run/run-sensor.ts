import { setMaxListeners } from 'node:events';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { failOnCallbackError } from '../../lib/callback-errors.ts';
import type { Connections } from '../../connections/connections.ts';
import { ConnectionError } from '../../connections/parse.ts';
import { withCurrentNames } from '../../lib/current-names.ts';
import { nameOfSensor } from '../../workflows/plan/ids.ts';
import type { SensorCall, SensorEnd, SensorReport } from '../../workflows/plan/sensor.ts';
import type { Sensor, TriggerType } from '../define-trigger.ts';
import { EventMatcher } from '../events/event-matcher.ts';
import { writerOf } from '../events/event-makers.ts';
import { EventRuns } from '../events/event-runs.ts';
import type { RunStarts } from './run-starts.ts';
import { SensorJournal } from './sensor-journal.ts';
import { stopped } from './sensor-stopped.ts';

/** Heartbeat interval, in milliseconds: the heartbeat timeout is 10 s. */
const HEARTBEAT = 3_000;
/** How often to check whether there is something to report to the workflow, in milliseconds. */
const LOOK = 2_000;
/** Minimum time between reports to the workflow, in milliseconds; new problems are reported at once. Each costs four history events. */
const REPORT = 15_000;

/** Dependencies that a worker provides to its sensors. */
export interface SensorDependencies {
  readonly connections: Connections;
  readonly starts: RunStarts;
}

/** Runs one consumer of a sensor as an activity until it is cancelled: then it returns its position. */
export async function runSensor(
  type: TriggerType,
  sensor: Sensor,
  { connections, starts }: SensorDependencies,
  call: SensorCall,
): Promise<SensorEnd> {
  const activity = Context.current();
  const { plan, trigger, consumer, sensorId } = call;
  const signal = activity.cancellationSignal;
  // A consumer that died continues from its last heartbeat.
  const journal = new SensorJournal(consumer, (activity.info.heartbeatDetails as SensorEnd | undefined) ?? call.from);
  const heartbeat = (): void => activity.heartbeat(journal.end);
  heartbeat();
  const heart = setInterval(heartbeat, HEARTBEAT);
  let reported: SensorReport | undefined;
  let reportedAt = -Infinity;
  const reporter = setInterval(() => {
    const changed = JSON.stringify(journal.counts) !== JSON.stringify(reported?.counts) || journal.lag !== reported?.lag;
    const now = performance.now();
    if (reported?.problem === journal.obstacle && !(changed && now - reportedAt >= REPORT)) return;
    [reported, reportedAt] = [journal.report(), now];
    // A lost report is sent again: it may be the one that ends a problem.
    starts.report(sensorId, reported).catch(() => (reported = undefined));
  }, LOOK);
  try {
    await failOnCallbackError(sensorId, signal, (linked) => {
      setMaxListeners(0, linked);
      return sensor.run({
        ...contextOf(type, connections, call),
        matcher: new EventMatcher(plan, trigger),
        runs: new EventRuns(plan, trigger, sensorId, starts, journal, linked, (event, connId) =>
          writerOf(event, connections.get(connId ?? 'aws_default', ['aws']), linked),
        ),
        journal,
        signal: linked,
        log: activity.log,
      });
    });
    throw new Error(`The sensor of ${sensorId} ended unexpectedly.`);
  } catch (error) {
    if (!signal.aborted) throw error instanceof ConnectionError ? stopped(error.message) : error;
    if (activity.cancellationDetails?.cancelRequested) return journal.end;
    heartbeat();
    throw ApplicationFailure.create({
      type: 'WorkerShutdown',
      message: 'The worker shut down; the sensor continues on another one.',
      nextRetryDelay: '100ms',
      // If the sensor is being stopped, the server does not retry, and the workflow continues from here.
      details: [journal.end],
    });
  } finally {
    clearInterval(heart);
    clearInterval(reporter);
  }
}

/** Moves an inactive consumer to the position `to`. */
export async function resetSensor(
  type: TriggerType,
  sensor: Sensor,
  { connections }: SensorDependencies,
  call: SensorCall,
  to: string,
): Promise<SensorEnd> {
  const cursor = await failOnCallbackError(call.sensorId, undefined, () =>
    sensor.reset(contextOf(type, connections, call), to, call.from.cursor),
  );
  return { ...(cursor !== undefined && { cursor }), counts: call.from.counts };
}

function contextOf(
  { connection, params }: TriggerType,
  connections: Connections,
  { plan, trigger, consumer, since, sensorId }: SensorCall,
) {
  const source = withCurrentNames(params, trigger.source);
  const chosen = source.conn_id;
  const name = typeof chosen === 'string' ? chosen : connection?.default;
  return {
    dagId: plan.dagId,
    name: nameOfSensor(sensorId, plan.dagId),
    plan,
    trigger: { ...trigger, source },
    consumer,
    since,
    connection: <T extends Parameters<Connections['get']>[1][number]>(types: readonly T[]) => connections.get(name ?? '', types),
  };
}
