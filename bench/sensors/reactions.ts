import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { type Measure, median, percentile } from '../measure.ts';

const PIPELINE = 'recommendations_on_activity';
const TRIGGER = 'user_activity';
const EVENTS_A_SECOND = 5;
/** A new worker is slow. */
const WARM_UP_EVENTS = 50;
const EVENTS = 200;
const USERS = 40;

/**
 * Measures the time from the broker's acknowledgement of a user's action to the recommendations that the service answers with: the pipeline
 * of `examples/integrations/`, which calls the service three times, or twice while the user's preferences are cached.
 */
export async function measureReactions(client: Client, connection: KafkaConnection, taskQueue: string): Promise<Measure[]> {
  const topic = `bench-reactions-${Date.now()}`;
  const kafka = createKafka(connection, 'sluice-bench');
  const [admin, producer] = [kafka.admin(), kafka.producer({ allowAutoTopicCreation: false })];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  const plan = await planFor(topic);
  const id = sensorId(plan.dagId, TRIGGER);
  await applySensorChange(client, { id, action: 'start', plan, trigger: TRIGGER }, taskQueue);
  for (;;) {
    const [found] = await admin.fetchOffsets({ groupId: groupOf(plan.dagId, TRIGGER), topics: [topic] });
    if (found?.partitions.every(({ offset }) => offset !== '-1') && found.partitions.length > 0) break;
    await delay(100);
  }
  // The consumer joins after the sensor has committed its start position.
  await delay(3_000);
  const milliseconds: number[] = [];
  const began = performance.now();
  const runs: { readonly run: string; readonly acknowledgedAt: number }[] = [];
  for (let event = 0; event < WARM_UP_EVENTS + EVENTS; event++) {
    await delay(Math.max(0, began + (event * 1_000) / EVENTS_A_SECOND - performance.now()));
    const value = { event_type: 'product_view', user_id: String(event % USERS), product_id: String(89_101 + event) };
    const [answer] = await producer.send({ topic, messages: [{ value: JSON.stringify(value) }] });
    const cause = { plan, cause: 'kafka' as const, id: `${topic}-0-${answer?.baseOffset ?? ''}` };
    runs.push({ run: createSensorStarts(client, taskQueue).idOf(cause), acknowledgedAt: Date.now() });
  }
  for (const { run, acknowledgedAt } of runs.slice(WARM_UP_EVENTS)) milliseconds.push((await answeredAt(client, run)) - acknowledgedAt);
  await applySensorChange(client, { id, action: 'stop' }, taskQueue);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  return [
    {
      what: `action of a user to recommendations of the service, ${EVENTS_A_SECOND} actions a second`,
      measured: `median ${median(milliseconds).toFixed(0)} ms, p95 ${percentile(milliseconds, 0.95).toFixed(0)} ms`,
      wanted: 'median < 500 ms',
      reached: median(milliseconds) < 500,
    },
  ];
}

async function planFor(topic: string): Promise<Plan> {
  const file = join(ROOT, 'examples', 'integrations', 'pipelines', `${PIPELINE}.yaml`);
  const [compilation] = new Compiler(CATALOG).compileAll(await loadPipelines(file));
  if (!compilation?.plan) throw new Error(`${file} is not valid.`);
  const { plan } = compilation;
  const triggers = (plan.triggers ?? []).map((trigger) => ({ ...trigger, source: { ...trigger.source, topic } }));
  return { ...plan, dagId: topic.replaceAll('-', '_'), triggers };
}

/** When the last task got the answer of the service, in milliseconds since 1970. @throws Error when the run failed */
async function answeredAt(client: Client, run: string): Promise<number> {
  const handle = client.workflow.getHandle(run);
  await handle.result();
  const { events } = await handle.fetchHistory();
  const time = events?.findLast(({ activityTaskCompletedEventAttributes }) => activityTaskCompletedEventAttributes)?.eventTime;
  return Number(time?.seconds ?? NaN) * 1_000 + (time?.nanos ?? 0) / 1e6;
}
