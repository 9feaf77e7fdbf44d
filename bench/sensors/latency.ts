import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Producer } from 'kafkajs';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { listRuns } from '../../temporal/runs/runs.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { type Measure, median, percentile } from '../measure.ts';
import { recordOf, sensorPlan, TRIGGER } from './sensor-plan.ts';

const PARTITIONS = 8;
const SECONDS = 30;
/** A new worker is slow. */
const WARM_UP_SECONDS = 15;
const RECORDS_A_SECOND = 1_000;
const MATCHES_A_SECOND = 20;
const BURST = 1_000;

/** Measures the time from the broker's acknowledgement of a record to the start of the first task, and a thousand records at once. */
export async function measureLatency(client: Client, connection: KafkaConnection, taskQueue: string): Promise<Measure[]> {
  const { plan, topic, close } = await prepare(client, connection, taskQueue);
  const producer = createKafka(connection, 'sluice-bench').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const idOf = (partition: number, offset: bigint): string =>
    createSensorStarts(client, taskQueue).idOf({ plan, cause: 'kafka', id: `${topic}-${partition}-${offset}` });

  /** Sends records at this rate. Returns the expected runs, with the broker timestamps of their records. */
  const pace = async (seconds: number): Promise<Map<string, number>> => {
    const acknowledged = new Map<string, number>();
    const perStep = RECORDS_A_SECOND / MATCHES_A_SECOND;
    const began = performance.now();
    for (let step = 0; step < seconds * MATCHES_A_SECOND; step++) {
      await delay(Math.max(0, began + (step * 1000) / MATCHES_A_SECOND - performance.now()));
      const partition = step % PARTITIONS;
      const offset = await send(producer, topic, partition, [...Array.from({ length: perStep - 1 }, () => 0.1), 0.9]);
      acknowledged.set(idOf(partition, offset + BigInt(perStep - 1)), Date.now());
    }
    return acknowledged;
  };
  const warm = (await pace(WARM_UP_SECONDS)).size;
  await until(client, plan, warm);
  const acknowledged = await pace(SECONDS);
  const before = warm + acknowledged.size;
  await until(client, plan, before);
  const latencies: number[] = [];
  for (const [run, at] of acknowledged) latencies.push((await firstTaskStarted(client, run)) - at);
  const p99 = percentile(latencies, 0.99);

  await send(
    producer,
    topic,
    0,
    Array.from({ length: BURST }, () => 0.9),
  );
  const sent = Date.now();
  await until(client, plan, before + BURST);
  const starts = (await listRuns(client, before + BURST, plan.dagId)).map(({ startedAt }) => startedAt.getTime());
  const burst = (Math.max(...starts) - sent) / 1000;
  await producer.disconnect();
  await close();
  return [
    {
      what: `event to first task, ${RECORDS_A_SECOND} records and ${MATCHES_A_SECOND} matches a second`,
      measured: `median ${median(latencies).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
      wanted: '< 100 ms, < 500 ms',
      reached: median(latencies) < 100 && p99 < 500,
    },
    { what: `${BURST} matches at once: all runs started`, measured: `${burst.toFixed(1)} s`, wanted: '≤ 15 s', reached: burst <= 15 },
  ];
}

async function prepare(
  client: Client,
  connection: KafkaConnection,
  taskQueue: string,
): Promise<{ plan: Plan; topic: string; close(): Promise<void> }> {
  const topic = `bench-latency-${Date.now()}`;
  const admin = createKafka(connection, 'sluice-bench').admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  const plan = sensorPlan(topic.replaceAll('-', '_'), topic);
  const id = sensorId(plan.dagId, TRIGGER);
  await applySensorChange(client, { id, action: 'start', plan, trigger: TRIGGER }, taskQueue);
  for (;;) {
    const [found] = await admin.fetchOffsets({ groupId: groupOf(plan.dagId, TRIGGER), topics: [topic] });
    if (found && found.partitions.length > 0 && found.partitions.every(({ offset }) => offset !== '-1')) break;
    await delay(100);
  }
  // The consumer joins after the sensor has committed its start position.
  await delay(3_000);
  return {
    plan,
    topic,
    async close() {
      await applySensorChange(client, { id, action: 'stop' }, taskQueue);
      await admin.disconnect();
    },
  };
}

/** @returns the offset of the first record */
async function send(producer: Producer, topic: string, partition: number, scores: readonly number[]): Promise<bigint> {
  const messages = scores.map((score) => ({ partition, ...recordOf(score) }));
  const [answer] = await producer.send({ topic, messages });
  return BigInt(answer?.baseOffset ?? 0);
}

/** Waits until `count` runs have ended. */
async function until(client: Client, plan: Plan, count: number): Promise<void> {
  const query = `SluicePipeline = "${plan.dagId}" AND ExecutionStatus = "Completed"`;
  for (let waited = 0; (await client.workflow.count(query)).count < count; waited++) {
    if (waited > 600) throw new Error(`Of ${count} runs not all have ended after a minute.`);
    await delay(100);
  }
}

async function firstTaskStarted(client: Client, run: string): Promise<number> {
  const { events } = await client.workflow.getHandle(run).fetchHistory();
  const time = events?.find(({ activityTaskStartedEventAttributes }) => activityTaskStartedEventAttributes)?.eventTime;
  return Number(time?.seconds ?? NaN) * 1000 + (time?.nanos ?? 0) / 1e6;
}
