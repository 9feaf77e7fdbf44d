import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createProgress } from '../../lib/progress.ts';
import { dataConverter } from '../../temporal/codec.ts';
import { connectClient } from '../../temporal/connect.ts';
import { connectWorker } from '../../temporal/connect-worker.ts';
import { startManualRun } from '../../temporal/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { installRuntime } from '../../temporal/worker-process.ts';
import { workflowBundle } from '../../temporal/workflow-bundle.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { compare, type Taken } from '../comparison.ts';
import type { Measure } from '../measure.ts';
import { benchActivities } from './activities.ts';
import { measureApply } from './apply.ts';
import { measureMemory } from './memory.ts';
import { measureOutage } from './outage.ts';
import { chain, fanOut, INTERVAL, mapped } from './plans.ts';

const PAIRS = 5;
const QUEUES = ['bench-sluice', 'bench-hand-written'] as const;

/** What running costs: over workflows written by hand with the same activities, server and worker settings; and through outages. */
export async function benchRuns(): Promise<Measure[]> {
  installRuntime(createLog('bench', 'error'));
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  const client = await connectClient(stack.environment);
  try {
    await ensureSearchAttributes(client);
    return [
      ...(await withWorkers(stack.environment, () => compareAll(client))),
      ...(await measureOutage(client, stack.environment)),
      await measureMemory(client, stack.environment),
      ...(await measureApply(client, stack.environment)),
    ];
  } finally {
    await client.connection.close();
    await stack.stop();
  }
}

async function compareAll(client: Client): Promise<Measure[]> {
  const wanted = { time: 1.05, events: 1.05 };
  return [
    ...(await compare(
      'chain of 100 tasks',
      wanted,
      PAIRS,
      () => ours(client, chain(100)),
      () => byHand(client, 'Chain', 100),
    )),
    ...(await compare(
      'fan-out of 500 tasks',
      wanted,
      PAIRS,
      () => ours(client, fanOut(500)),
      () => byHand(client, 'FanOut', 500),
    )),
    ...(await compare(
      '50 runs of 3 tasks',
      wanted,
      PAIRS,
      () => many(50, () => ours(client, chain(3))),
      () => many(50, () => byHand(client, 'Chain', 3)),
    )),
    ...(await compare(
      '10,000 mapped tasks',
      { time: 1.1 },
      PAIRS,
      () => ours(client, mapped(10_000, 1, 400)),
      () => byHand(client, 'Mapped', 10_000),
    )),
    ...(await compare(
      'the same, 100 a batch',
      { time: 1.5 },
      PAIRS,
      () => ours(client, mapped(10_000, 100, 100)),
      () => byHand(client, 'Batched', 10_000),
    )),
    ...(await compare(
      '100,000 mapped tasks, 100 a batch',
      { time: 1.5 },
      PAIRS,
      () => ours(client, mapped(100_000, 100, 500)),
      () => byHand(client, 'Batched', 100_000),
    )),
  ];
}

function bundleHandWritten(): Promise<WorkflowBundleWithSourceMap> {
  const workflowsPath = fileURLToPath(new URL('./hand-written.ts', import.meta.url));
  return bundleWorkflowCode({ workflowsPath, logger: Runtime.instance().logger });
}

/** Runs `work` with a worker for ours and one for what is written by hand, with the same settings. */
async function withWorkers<T>(environment: Environment, work: () => Promise<T>): Promise<T> {
  const { connection, namespace } = await connectWorker(environment);
  const workers = await Promise.all(
    [await workflowBundle('index'), await bundleHandWritten()].map((bundle, index) =>
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

function ours(client: Client, plan: Plan): Promise<Taken> {
  return taken(client, async () => (await startManualRun(client, plan, QUEUES[0], INTERVAL, randomUUID())).pipelineRunId);
}

function byHand(client: Client, workflow: string, size: number): Promise<Taken> {
  return taken(
    client,
    async () => (await client.workflow.start(workflow, { taskQueue: QUEUES[1], workflowId: randomUUID(), args: [size] })).workflowId,
  );
}

async function taken(client: Client, start: () => Promise<string>): Promise<Taken> {
  const began = performance.now();
  const handle = client.workflow.getHandle(await start());
  await handle.result();
  const ms = performance.now() - began;
  return { ms, events: (await handle.describe()).historyLength };
}

async function many(count: number, run: () => Promise<Taken>): Promise<Taken> {
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: count }, run));
  // Describing them is not part of it, and is the same on both sides.
  return { ms: performance.now() - began, events: all.reduce((sum, { events = 0 }) => sum + events, 0) };
}
