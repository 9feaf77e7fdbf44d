import { setTimeout as delay } from 'node:timers/promises';
import { createKafka } from '../../lib/kafka/client.ts';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { whenLoaded } from '../../lib/kafka/coordinator-loading.ts';
import { kafkajsSource } from '../../lib/kafka/kafkajs-source.ts';
import { decodeJson } from '../../lib/kafka/decode-record.ts';
import { EventMatcher } from '../../sensors/events/event-matcher.ts';
import { EventRuns } from '../../sensors/events/event-runs.ts';
import { DeadLetters } from '../../sensors/kafka/dead-letters.ts';
import { EachRecord } from '../../sensors/kafka/each-record.ts';
import { Incarnations } from '../../sensors/kafka/incarnation.ts';
import { Position } from '../../sensors/kafka/position.ts';
import type { RunStarts } from '../../sensors/run/run-starts.ts';
import { SensorJournal } from '../../sensors/run/sensor-journal.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type TriggerPlan } from '../../workflows/plan/trigger.ts';
import { NO_COUNTS } from '../../workflows/plan/sensor.ts';
import { type Measure, median } from '../measure.ts';

const RECORDS = 1_000_000;
const PARTITIONS = 8;
const MATCH_EVERY = 10_000;
// The cost of a pass varies by half, depending on garbage collection.
const PAIRS = 11;

const TRIGGER: TriggerPlan = {
  name: 'changes',
  type: 'kafka',
  when: 'event.behavior_change_score > 0.7',
  mode: { kind: 'each' },
  onInvalid: 'dead_letter',
  parallelism: 1,
  source: {},
};

/** The cost of one pass over the topic. */
interface Pass {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly matches: number;
}

/** Measures the cost of filtering records: a sensor, compared with a loop of the same client that parses them and compares the field. */
export async function measureFilter(connection: KafkaConnection): Promise<Measure[]> {
  const kafka = createKafka(connection, 'sluice-bench');
  const topic = `bench-filter-${Date.now()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  await fill(connection, topic);
  const ours: Pass[] = [];
  const bare: Pass[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    process.stderr.write(`filter: pair ${pair} of ${PAIRS}${pair === 0 ? ' (not counted)' : ''}\n`);
    const passes = pair % 2 === 0 ? ([sensorPass, barePass] as const) : ([barePass, sensorPass] as const);
    for (const pass of passes) {
      const taken = await pass(connection, topic);
      if (taken.matches !== RECORDS / MATCH_EVERY) throw new Error(`A pass has found ${taken.matches} matches.`);
      if (pair > 0) (pass === sensorPass ? ours : bare).push(taken);
    }
  }
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  const ratio = median(ours.map((pass, index) => (bare[index]?.cpuSeconds ?? NaN) / pass.cpuSeconds));
  const perSecond = (passes: readonly Pass[], of: (pass: Pass) => number): number => median(passes.map((pass) => RECORDS / of(pass)));
  const thousands = (value: number): string => `${Math.round(value / 1000)},000`;
  return [
    {
      what: 'records looked at, in a CPU second',
      measured: `${thousands(perSecond(ours, (pass) => pass.cpuSeconds))}; a bare loop ${thousands(perSecond(bare, (pass) => pass.cpuSeconds))}: ${ratio.toFixed(2)} ×`,
      wanted: '≥ 0.9 ×',
      reached: ratio >= 0.9,
    },
    {
      what: 'records looked at in a second, one process beside the broker',
      measured: `${thousands(perSecond(ours, (pass) => pass.seconds))}; a bare loop ${thousands(perSecond(bare, (pass) => pass.seconds))}`,
      wanted: '≥ 150,000',
      reached: perSecond(ours, (pass) => pass.seconds) >= 150_000,
    },
  ];
}

async function fill(connection: KafkaConnection, topic: string): Promise<void> {
  const producer = createKafka(connection, 'sluice-bench').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const AT_ONCE = 10_000;
  for (let from = 0; from < RECORDS; from += AT_ONCE) {
    const messages = Array.from({ length: AT_ONCE }, (_, index) => {
      const n = from + index;
      return {
        partition: n % PARTITIONS,
        value: JSON.stringify({
          event_type: 'product_view',
          user_id: String(100_000 + (n % 99_991)),
          product_id: String(89_101 + (n % 1_009)),
          timestamp: '2023-09-06T14:30:00Z',
          session_id: `abcde${n}`,
          device_type: 'mobile',
          behavior_change_score: n % MATCH_EVERY === 0 ? 0.9 : (n % 70) / 100,
        }),
      };
    });
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

/** The hand-written equivalent, with eight megabytes per fetch, as in `kafkajsSource`. */
function barePass(connection: KafkaConnection, topic: string): Promise<Pass> {
  return whenLoaded(() => bareLoop(connection, topic));
}

async function bareLoop(connection: KafkaConnection, topic: string): Promise<Pass> {
  const consumer = createKafka(connection, 'sluice-bench').consumer({
    groupId: `bench-${Math.random()}`,
    maxBytesPerPartition: 8 * 1024 * 1024,
    maxBytes: 32 * 1024 * 1024,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  let matches = 0;
  const watch = stopwatch();
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const running = consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 8,
      eachBatch: ({ batch }) => {
        watch.begin();
        for (const { value } of batch.messages) {
          const event = JSON.parse(value?.toString() ?? 'null') as { behavior_change_score: number };
          if (event.behavior_change_score > 0.7) matches++;
        }
        seen += batch.messages.length;
        if (seen >= RECORDS) resolve();
        return Promise.resolve();
      },
    });
    running.catch(reject);
  }).catch(async (error: unknown) => {
    await consumer.disconnect().catch(() => undefined);
    throw error;
  });
  const taken = watch.end();
  await consumer.disconnect();
  return { ...taken, matches };
}

/** The sensor's own code, except that starts of runs are only counted. */
async function sensorPass(connection: KafkaConnection, topic: string): Promise<Pass> {
  const kafka = createKafka(connection, 'sluice-bench');
  const plan: Plan = { format: 1, dagId: 'bench', hash: '', tags: [], schedule: null, tasks: [], triggers: [TRIGGER] };
  const enough = new AbortController();
  const journal = new SensorJournal(0, { counts: NO_COUNTS });
  const group = `bench-${Math.random()}`;
  const incarnations = new Incarnations({});
  const position = new Position(journal, new DeadLetters(kafka, group, `${topic}-dead`), incarnations);
  const log = { info: () => undefined, warn: () => undefined };
  const handler = new EachRecord({
    position,
    incarnations,
    decode: decodeJson,
    sensor: {
      dagId: plan.dagId,
      name: plan.dagId,
      plan,
      trigger: TRIGGER,
      consumer: 0,
      since: new Date().toISOString(),
      connection: () => {
        throw new Error('It is open already.');
      },
      matcher: new EventMatcher(plan, TRIGGER),
      runs: new EventRuns(plan, TRIGGER, 'bench', COUNTED, journal, enough.signal),
      journal,
      signal: enough.signal,
      log,
    },
  });
  const watch = stopwatch();
  let taken: Omit<Pass, 'matches'> | undefined;
  await kafkajsSource(kafka).consume({
    group,
    topics: [topic],
    signal: enough.signal,
    async handle(batch) {
      watch.begin();
      await handler.handle(batch);
      if (journal.counts.events < RECORDS) return;
      // The time to leave the group is not measured, as in the bare loop.
      taken ??= watch.end();
      enough.abort();
    },
  });
  await position.close();
  await delay(0);
  if (!taken) throw new Error('The sensor has ended before the last record.');
  return { ...taken, matches: journal.counts.started };
}

const COUNTED: RunStarts = {
  start: () => Promise.resolve('started'),
  upTo: () => Promise.resolve(undefined),
  recent: () => Promise.resolve([]),
  ended: () => Promise.resolve([]),
  idOf: ({ id }) => id,
  open: () => Promise.resolve([]),
  stillOpen: () => Promise.resolve([]),
  report: () => Promise.resolve(),
  claim: () => Promise.resolve(undefined),
};

/** Starts with the first record: joining a group is not measured. */
function stopwatch(): { begin(): void; end(): Omit<Pass, 'matches'> } {
  let began: number | undefined;
  let cpu = process.cpuUsage();
  return {
    begin() {
      if (began !== undefined) return;
      began = performance.now();
      cpu = process.cpuUsage();
    },
    end() {
      const { user, system } = process.cpuUsage(cpu);
      return { seconds: (performance.now() - (began ?? NaN)) / 1000, cpuSeconds: (user + system) / 1e6 };
    },
  };
}
