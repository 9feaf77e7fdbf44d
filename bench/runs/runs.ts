import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { startStack } from '../../dev/stack.ts';
import { ROOT } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { connectWorker } from '../../temporal/connect-worker.ts';
import { startManualRun } from '../../temporal/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { installRuntime } from '../../temporal/worker-process.ts';
import type { Plan, TaskPlan } from '../../workflows/plan/plan.ts';
import { type Comparison, compare } from '../comparison.ts';

const PAIRS = 5;
const INTERVAL = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };

/** What the interpreter costs over a workflow written by hand: the same activities, the same server, one worker each, in turn. */
export async function benchRuns(): Promise<Comparison[]> {
  installRuntime(createLog('bench', 'error'));
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  const client = await connectClient(stack.environment);
  await ensureSearchAttributes(client);
  const { connection, namespace } = await connectWorker(stack.environment);
  const activities = { work: async () => null };
  const workers = await Promise.all(
    (['../../workflows/index.ts', './hand-written.ts'] as const).map(async (path, index) =>
      Worker.create({
        connection,
        namespace,
        taskQueue: QUEUES[index] ?? '',
        activities,
        workflowBundle: await bundleWorkflowCode({
          workflowsPath: fileURLToPath(new URL(path, import.meta.url)),
          logger: new DefaultLogger('WARN'),
        }),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    return [
      await compare(
        'chain of 100 tasks',
        1.25,
        PAIRS,
        () => ours(client, chain(100)),
        () => byHand(client, 'Chain', 100),
      ),
      await compare(
        'fan-out of 500 tasks',
        1.25,
        PAIRS,
        () => ours(client, fanOut(500)),
        () => byHand(client, 'FanOut', 500),
      ),
      await compare(
        '50 runs of 3 tasks at once',
        1.5,
        PAIRS,
        () => many(50, () => ours(client, chain(3))),
        () => many(50, () => byHand(client, 'Chain', 3)),
      ),
    ];
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
    await client.connection.close();
    await stack.stop();
  }
}

const QUEUES = ['bench-sluice', 'bench-hand-written'] as const;

function chain(length: number): TaskPlan[] {
  return Array.from({ length }, (_, index) => task(index, index === 0 ? [] : [`t${index - 1}`]));
}

function fanOut(width: number): TaskPlan[] {
  return Array.from({ length: width }, (_, index) => task(index, []));
}

function task(index: number, dependsOn: readonly string[]): TaskPlan {
  return {
    name: `t${index}`,
    type: 'work',
    summary: 'does nothing',
    dependsOn,
    triggerRule: 'all_success',
    params: {},
    retry: { maximumAttempts: 4, initialDelayMs: 10_000, backoff: 2, maximumDelayMs: 3_600_000 },
    executionTimeoutMs: 3_600_000,
    heartbeatTimeoutMs: 15_000,
    allowFailure: false,
  };
}

async function ours(client: Client, tasks: readonly TaskPlan[]): Promise<number> {
  const plan: Plan = { format: 1, dagId: 'bench', hash: '0'.repeat(64), tags: [], schedule: null, tasks };
  return timed(async () => {
    const { pipelineRunId } = await startManualRun(client, plan, QUEUES[0], INTERVAL, randomUUID());
    await client.workflow.getHandle(pipelineRunId).result();
  });
}

function byHand(client: Client, workflow: string, size: number): Promise<number> {
  return timed(async () => {
    await client.workflow.execute(workflow, { taskQueue: QUEUES[1], workflowId: randomUUID(), args: [size] });
  });
}

function many(count: number, run: () => Promise<number>): Promise<number> {
  return timed(() => Promise.all(Array.from({ length: count }, run)));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
