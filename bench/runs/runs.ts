import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { bundleWorkflowCode, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createProgress } from '../../lib/progress.ts';
import { dataConverterFrom, type SluiceConverter } from '../../temporal/codec/codec.ts';
import { connectClient } from '../../temporal/connect.ts';
import { connectWorker } from '../../temporal/worker/connect-worker.ts';
import { runStart } from '../../temporal/runs/run-start.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { installRuntime } from '../../temporal/worker/worker-process.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { compare, type Sample } from '../comparison.ts';
import type { Measure } from '../measure.ts';
import { benchActivities } from './activities.ts';
import { measureApply } from './apply.ts';
import { measureEncryption, withoutKeys } from './encryption.ts';
import { measureMemory } from './memory.ts';
import { measureOutage } from './outage.ts';
import { chain, fanOut, INTERVAL, mapped } from './plans.ts';

const PAIRS = 5;
/** For measurements of a second or two, where the noise of the machine is as large as the result. */
const PAIRS_OF_SHAPES = 25;
const WARM_UP_ROUNDS = 10;
const QUEUES = ['bench-sluice', 'bench-hand-written'] as const;

/** Measures the cost of runs compared with hand-written workflows (same activities, server and worker settings), and during outages. */
export async function benchRuns(): Promise<Measure[]> {
  installRuntime(createLog('bench', 'error'));
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  // Without keys: hand-written workflows do not encrypt.
  const environment = withoutKeys(stack.environment);
  const client = await connectClient(environment);
  try {
    await ensureSearchAttributes(client);
    return [
      ...(await withWorkers(environment, () => compareAll(client))),
      ...(await measureEncryption(stack.environment)),
      ...(await measureOutage(client, environment)),
      await measureMemory(client, environment),
      ...(await measureApply(client, environment)),
    ];
  } finally {
    await client.connection.close();
    await stack.stop();
  }
}

async function compareAll(client: Client): Promise<Measure[]> {
  await warmUp(client);
  return [
    ...(await compareShape(client, 'chain of 100 tasks', chain(100), 'Chain', 100)),
    ...(await compareShape(client, 'fan-out of 500 tasks', fanOut(500), 'FanOut', 500)),
    ...(await compareShape(client, '50 runs of 3 tasks', chain(3), 'Chain', 3, 50)),
    ...(await compareList(client, '10,000 mapped tasks', 1.1, mapped(10_000, 1, 400), 'Mapped', 10_000)),
    ...(await compareList(client, 'the same, 100 a batch', 1.5, mapped(10_000, 100, 100), 'Batched', 10_000)),
    ...(await compareList(client, '100,000 mapped tasks, 100 a batch', 1.5, mapped(100_000, 100, 500), 'Batched', 100_000)),
  ];
}

/** Warms up the workers, which in production run for days, so that compilation in the first minute does not count. */
async function warmUp(client: Client): Promise<void> {
  for (let round = 1; round <= WARM_UP_ROUNDS; round++) {
    process.stderr.write(`warming up: ${round} of ${WARM_UP_ROUNDS}\n`);
    for (const [plan, workflow, size] of [
      [chain(100), 'Chain', 100],
      [fanOut(500), 'FanOut', 500],
    ] as const) {
      await ours(client, plan);
      await byHand(client, workflow, [size]);
    }
  }
}

/** Compares a run with a hand-written workflow of the same shape, and with one that records as much in its history. */
async function compareShape(client: Client, what: string, plan: Plan, workflow: string, size: number, runs = 1): Promise<Measure[]> {
  const own = (): Promise<Sample> => many(runs, () => ours(client, plan));
  return [
    ...(await compare(what, { time: 1.05, events: 1.05 }, PAIRS_OF_SHAPES, own, () => many(runs, () => byHand(client, workflow, [size])))),
    ...(await compare(`${what}: beside one that records as much`, { time: 1.05 }, PAIRS_OF_SHAPES, own, () =>
      many(runs, () =>
        byHand(
          client,
          `Recorded${workflow}`,
          [size, { plan, interval: INTERVAL }],
          runStart(plan, 'manual', QUEUES[1], { interval: INTERVAL }),
        ),
      ),
    )),
  ];
}

function compareList(client: Client, what: string, time: number, plan: Plan, workflow: string, size: number): Promise<Measure[]> {
  return compare(
    what,
    { time },
    PAIRS,
    () => ours(client, plan),
    () => byHand(client, workflow, [size]),
  );
}

function bundleHandWritten({ failureConverterPath }: SluiceConverter): Promise<WorkflowBundleWithSourceMap> {
  const workflowsPath = fileURLToPath(new URL('./hand-written.ts', import.meta.url));
  return bundleWorkflowCode({
    workflowsPath,
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    logger: Runtime.instance().logger,
  });
}

/** Runs `work` with a worker for Sluice and one for hand-written workflows, with the same settings. */
async function withWorkers<T>(environment: Environment, work: () => Promise<T>): Promise<T> {
  const { connection, namespace } = await connectWorker(environment);
  const dataConverter = dataConverterFrom(environment);
  const workers = await Promise.all(
    [await workflowBundle('index', dataConverter), await bundleHandWritten(dataConverter)].map((bundle, index) =>
      Worker.create({
        connection,
        namespace,
        taskQueue: QUEUES[index] ?? '',
        dataConverter,
        activities: benchActivities,
        workflowBundle: bundle,
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    return await work();
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
  }
}

function ours(client: Client, plan: Plan): Promise<Sample> {
  return taken(client, async () => (await startManualRun(client, plan, QUEUES[0], INTERVAL, randomUUID())).pipelineRunId);
}

function byHand(client: Client, workflow: string, args: unknown[], facts: Partial<WorkflowStartOptions> = {}): Promise<Sample> {
  return taken(
    client,
    async () => (await client.workflow.start(workflow, { ...facts, taskQueue: QUEUES[1], workflowId: randomUUID(), args })).workflowId,
  );
}

async function taken(client: Client, start: () => Promise<string>): Promise<Sample> {
  const began = performance.now();
  const handle = client.workflow.getHandle(await start());
  await handle.result();
  const ms = performance.now() - began;
  return { ms, events: (await handle.describe()).historyLength };
}

/** Starts `count` runs at once and waits until the last one ends. */
async function many(count: number, run: () => Promise<Sample>): Promise<Sample> {
  const all = await Promise.all(Array.from({ length: count }, run));
  return { ms: Math.max(...all.map(({ ms }) => ms)), events: all.reduce((sum, { events = 0 }) => sum + events, 0) };
}
