import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { freePort } from '../../dev/servers/ports.ts';
import { startStack } from '../../dev/stack.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { createProgress } from '../../lib/progress.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { Child } from '../child.ts';
import type { Measure } from '../measure.ts';
import { until } from '../../test/support/eventually.ts';
import { recordOf, sensorPlan, TRIGGER } from './sensor-plan.ts';
import type { WorkerWeight } from './weighed-worker.ts';

const SENSORS = 1_000;
const TOPICS = 50;
const AT_ONCE = 20;
/** How long the worker idles before it is measured, and how long it is measured, in milliseconds. */
const SETTLED = 10_000;
const WEIGHED = 30_000;
const RECORDS_A_SECOND = 1_000;
/** Interval between records, in milliseconds. */
const STEP = 100;
const STARTED_WITHIN = 60_000;
/** Time limit for expected results, in milliseconds. */
const PATIENCE = 600_000;
/** Polling interval, in milliseconds: each poll costs the broker a request per group. */
const POLL_INTERVAL_MS = 2_000;

/** Measures a thousand sensors on one worker: idle, and with records to filter; and whether each starts its run. */
export async function benchManySensors(): Promise<Measure[]> {
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal', 'kafka'],
    environment: {},
    progress: createProgress(),
  });
  const environment: Environment = { ...process.env, ...stack.environment };
  const client = await connectClient(environment);
  const kafka = createKafka(connectionsFrom(environment).get('kafka_default', ['kafka']), 'sluice-bench');
  const admin = kafka.admin();
  const queue = `bench-many-${randomUUID().slice(0, 8)}`;
  try {
    await ensureSearchAttributes(client);
    await admin.connect();
    const worker = await startWorker(environment, queue);
    try {
      return await new Bench(client, kafka, admin, queue, worker).measure();
    } finally {
      await worker.stop();
    }
  } finally {
    await admin.disconnect();
    await client.connection.close();
    await stack.stop();
  }
}

class Bench {
  private readonly topics: readonly string[];
  private readonly plans: readonly Plan[];

  constructor(
    private readonly client: Client,
    private readonly kafka: Kafka,
    private readonly admin: Admin,
    private readonly queue: string,
    private readonly worker: Child<WorkerWeight>,
  ) {
    this.topics = Array.from({ length: TOPICS }, (_, number) => `${queue}-${number}`);
    this.plans = Array.from({ length: SENSORS }, (_, number) =>
      sensorPlan(`${queue.replaceAll('-', '_')}_${number}`, this.topicOf(number)),
    );
  }

  async measure(): Promise<Measure[]> {
    await this.admin.createTopics({ topics: this.topics.map((topic) => ({ topic })), waitForLeaders: true });
    const began = performance.now();
    await inTurns(this.plans, AT_ONCE, (plan) =>
      applySensorChange(this.client, { id: sensorId(plan.dagId, TRIGGER), action: 'start', plan, trigger: TRIGGER }, this.queue),
    );
    const there = await until(async () => (await this.reading()) === SENSORS, PATIENCE, POLL_INTERVAL_MS);
    const joined = performance.now() - began;
    process.stderr.write(`${await this.reading()} sensors read after ${seconds(joined)}\n`);
    await delay(SETTLED);
    const idle = await weigh(this.worker);
    const producer = this.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const [busy] = await Promise.all([weigh(this.worker), this.pace(producer)]);
    const last = performance.now();
    const upToDate = await until(async () => (await this.behind()) === 0, PATIENCE, POLL_INTERVAL_MS);
    const late = performance.now() - last;
    await producer.sendBatch({ topicMessages: this.topics.map((topic) => ({ topic, messages: [recordOf(0.9)] })) });
    const sent = performance.now();
    await until(async () => (await this.runs()) >= SENSORS, PATIENCE, POLL_INTERVAL_MS);
    const started = performance.now() - sent;
    await producer.disconnect();
    // Wait, because an extra run would arrive late.
    await delay(SETTLED);
    const runs = await this.runs();
    return [
      {
        what: `${SENSORS} sensors on ${TOPICS} topics in one worker: all read`,
        measured: there ? `after ${seconds(joined)}` : 'no',
        wanted: 'all',
        reached: there,
      },
      { what: 'the worker, idle', measured: words(idle), wanted: '≤ 1 core, 2 GB', reached: idle.cpuMs <= 1_000 && idle.bytes <= 2e9 },
      {
        what: `the worker, ${RECORDS_A_SECOND} records a second, each looked at by ${SENSORS / TOPICS} sensors`,
        measured: words(busy),
        wanted: '≤ 2 GB',
        reached: busy.bytes <= 2e9,
      },
      {
        what: 'from the last of them to all positions at the end',
        measured: upToDate ? seconds(late) : 'never',
        wanted: '≤ 10 s',
        reached: upToDate && late <= 10_000,
      },
      {
        what: 'a match in each topic: runs started',
        measured: `${runs}, the last after ${seconds(started)}`,
        wanted: `${SENSORS}: one for each sensor`,
        reached: runs === SENSORS,
      },
    ];
  }

  /** Number of sensors that have joined their groups. */
  private async reading(): Promise<number> {
    const { groups } = await this.admin.describeGroups(this.plans.map(({ dagId }) => groupOf(dagId, TRIGGER)));
    return groups.filter(({ state, members }) => state === 'Stable' && members.length === 1).length;
  }

  /** Number of sensors whose position is before the end. */
  private async behind(): Promise<number> {
    const ends = new Map<string, string | undefined>();
    for (const topic of this.topics) ends.set(topic, (await this.admin.fetchTopicOffsets(topic))[0]?.high);
    let behind = 0;
    await inTurns([...this.plans.entries()], AT_ONCE, async ([number, { dagId }]) => {
      const topic = this.topicOf(number);
      const [found] = await this.admin.fetchOffsets({ groupId: groupOf(dagId, TRIGGER), topics: [topic] });
      if (found?.partitions[0]?.offset !== ends.get(topic)) behind++;
    });
    return behind;
  }

  /** Sends records at a constant rate while the worker is measured. */
  private async pace(producer: Producer): Promise<void> {
    const began = performance.now();
    for (let step = 0; step * STEP < WEIGHED; step++) {
      await delay(Math.max(0, began + step * STEP - performance.now()));
      const messages = Array.from({ length: (RECORDS_A_SECOND * STEP) / 1_000 / TOPICS }, () => recordOf(0.1));
      await producer.sendBatch({ topicMessages: this.topics.map((topic) => ({ topic, messages })) });
    }
  }

  private async runs(): Promise<number> {
    const query = `${SEARCH_ATTRIBUTES.cause.name} = "kafka" AND TaskQueue = "${this.queue}"`;
    return (await this.client.workflow.count(query)).count;
  }

  private topicOf(number: number): string {
    return this.topics[number % TOPICS] ?? '';
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function words({ cpuMs, bytes, sockets }: WorkerWeight): string {
  return `${(cpuMs / 1_000).toFixed(2)} of a core, ${(bytes / 1e6).toFixed(0)} MB, ${sockets} connections to Kafka`;
}

/** Starts Sluice's worker with measurement. */
async function startWorker(environment: Environment, queue: string): Promise<Child<WorkerWeight>> {
  const port = await freePort(new Set());
  const worker = await Child.start<WorkerWeight>({
    file: 'bench/sensors/weighed-worker.ts',
    args: ['--queue', queue, '--health-port', String(port), '--log-level', 'error'],
    environment,
  });
  const well = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  if (await until(well, STARTED_WITHIN, STEP)) return worker;
  await worker.stop();
  throw new Error(`The worker of the benchmark was not well within ${STARTED_WITHIN / 1_000} s.`);
}

/** Measures the cost per second. */
async function weigh(worker: Child<WorkerWeight>): Promise<WorkerWeight> {
  process.stderr.write(`weighing the worker for ${WEIGHED / 1_000} s\n`);
  const before = await worker.weigh();
  await delay(WEIGHED);
  const after = await worker.weigh();
  return { ...after, cpuMs: ((after.cpuMs - before.cpuMs) / WEIGHED) * 1_000 };
}
