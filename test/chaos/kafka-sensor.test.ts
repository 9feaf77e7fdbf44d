import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { connectClient } from '../../temporal/connect.ts';
import { listRuns, type RunSummary } from '../../temporal/runs/runs.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { killPart, testStack } from '../support/test-stack.ts';

/** `SLUICE_CHAOS=full` is the whole of it, for five minutes; else the same in short. */
const FULL = process.env.SLUICE_CHAOS === 'full';
const RECORDS = FULL ? 100_000 : 5_000;
const MATCHES = FULL ? 2_000 : 100;
const SECONDS = FULL ? 300 : 15;
const PARTITIONS = 4;
/** From when the broker has a record to when its run has begun, the time not counted that the broker is away. Milliseconds. */
const STALL = 30_000;

/** Of time, in milliseconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
}

const lengthOf = ({ from, to }: Span): number => Math.max(0, to - from);
const common = (one: Span, other: Span): Span => ({ from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) });

describe('a Kafka sensor through kills', function () {
  this.timeout(FULL ? '30m' : '6m');
  const unique = randomUUID().replaceAll('-', '').slice(0, 8);
  const taskQueue = `chaos-${unique}`;
  let environment: Record<string, string>;
  let folder: { path: string; remove(): Promise<void> };
  let client: Client;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    ({ encrypting: environment } = await testStack(['temporal', 'kafka']));
    environment = { ...environment, SLUICE_TASK_QUEUE: taskQueue };
    client = await connectClient(environment);
    kafka = await TestKafka.connect(environment);
    folder = await temporaryFolder();
  });
  after(async () => {
    await kafka.close();
    await client.connection.close();
    await folder.remove();
  });

  async function apply(): Promise<void> {
    const scheduler = startProcess('scheduler.ts', ['--pipelines', folder.path, '--task-queue', taskQueue, '--no-wait'], environment);
    assert.equal(await scheduler.exited, 0, scheduler.stderr());
  }

  const startWorker = (): TestProcess => startProcess('worker.ts', ['--queue', taskQueue], environment);

  /**
   * Applies a pipeline of one trigger, lets records come for `SECONDS` while `fault` happens, and looks at the runs.
   * @returns how long each match has waited for its run
   */
  async function through(name: string, fault: (until: number, replaceWorker: () => Promise<void>) => Promise<void>): Promise<Span[]> {
    const dagId = `${name}_${unique}`;
    const topic = `chaos-${dagId}`;
    await kafka.createTopic(topic, PARTITIONS);
    await writeFile(
      join(folder.path, `${name}.yaml`),
      `dag_id: ${dagId}\ntriggers: [{name: changes, type: kafka, topic: ${topic}, parallelism: 2, when: event.score > 0.7}]\ntasks: [{name: a, type: empty}]\n`,
    );
    let worker = startWorker();
    await apply();
    await eventually(async () => {
      const offsets = await kafka.committed(groupOf(dagId, 'changes'), topic);
      assert.ok(offsets.length === PARTITIONS && offsets.every((offset) => offset !== '-1'));
    }, 60_000);

    const until = Date.now() + SECONDS * 1000;
    const replaceWorker = async (): Promise<void> => {
      await worker.stop('SIGKILL');
      worker = startWorker();
    };
    const [taken] = await Promise.all([produce(topic), fault(until, replaceWorker)]);

    const runs = (): Promise<RunSummary[]> => listRuns(client, RECORDS, dagId);
    await eventually(
      async () => {
        const high = (await kafka.admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition).map((each) => each.high);
        assert.deepEqual(await kafka.committed(groupOf(dagId, 'changes'), topic), high);
        assert.equal((await runs()).length, MATCHES);
      },
      FULL ? 300_000 : 90_000,
    );
    const found = await runs();
    assert.equal(new Set(found.map(({ pipelineRunId }) => pipelineRunId)).size, MATCHES);
    // Every run was started once, and ended: no second execution hides behind an id.
    assert.equal((await client.workflow.count(`SluicePipeline = "${dagId}"`)).count, MATCHES);
    await worker.stop();
    return found.map(({ pipelineRunId, startedAt }) => ({ from: taken[recordOf(pipelineRunId)] ?? NaN, to: startedAt.getTime() }));
  }

  /** The record that a run is of, as they were numbered: each partition has every fourth of them, in order. */
  function recordOf(pipelineRunId: string): number {
    const [, partition, offset] = /-(\d+)-(\d+)$/.exec(pipelineRunId) ?? assert.fail(pipelineRunId);
    return Number(offset) * PARTITIONS + Number(partition);
  }

  /** @returns when the broker had taken each record */
  async function produce(topic: string): Promise<number[]> {
    const taken: number[] = [];
    const producer = kafka.patient().producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const steps = SECONDS * 5;
    const every = RECORDS / MATCHES;
    for (let step = 0; step < steps; step++) {
      const [from, to] = [step, step + 1].map((each) => Math.round((each * RECORDS) / steps)) as [number, number];
      const messages = Array.from({ length: to - from }, (_, index) => ({
        value: JSON.stringify({ n: from + index, score: (from + index) % every === 0 ? 0.9 : 0.1 }),
        partition: (from + index) % PARTITIONS,
      }));
      await producer.send({ topic, messages });
      taken.push(...messages.map(() => Date.now()));
      await delay(200);
    }
    await producer.disconnect();
    return taken;
  }

  it('the worker is killed every 5 s: each match starts one run', async () => {
    await through('workers', async (until, replaceWorker) => {
      while (Date.now() < until) {
        await delay(5_000);
        await replaceWorker();
      }
    });
  });

  it('the broker is killed again and again, and the group rebalanced after it: the same, and no match waits for long', async () => {
    const away: Span[] = [];
    const waits = await through('brokers', async (until, replaceWorker) => {
      const pause = FULL ? 20_000 : 4_000;
      while (Date.now() < until - pause) {
        await delay(pause);
        const from = Date.now();
        await killPart('kafka');
        away.push({ from, to: Date.now() });
        await replaceWorker();
      }
    });
    const longest = Math.max(...waits.map((wait) => lengthOf(wait) - away.reduce((sum, each) => sum + lengthOf(common(wait, each)), 0)));
    assert.ok(longest < STALL, `a match has waited for ${longest} ms`);
  });

  it('Temporal is away for a while: no offset is committed past the runs', async () => {
    await through('servers', async () => {
      await delay(5_000);
      await killPart('temporal', FULL ? 120_000 : 10_000);
    });
  });
});
