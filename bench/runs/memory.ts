import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Environment } from '../../lib/environment.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { Measure } from '../measure.ts';
import { chain, INTERVAL } from './plans.ts';
import { startWorker } from './start-worker.ts';

const FEW = 100;
const MANY = 10_000;
const AT_ONCE = 50;

/** Measures the memory that a worker retains after runs. */
export async function measureMemory(client: Client, environment: Environment): Promise<Measure> {
  const taskQueue = `bench-memory-${randomUUID()}`;
  const worker = await startWorker(environment, [taskQueue, '0']);
  try {
    await runAll(client, taskQueue, FEW);
    const before = await worker.weigh();
    for (let done = FEW; done < MANY; done += 900) {
      process.stderr.write(`memory of a worker: ${done} of ${MANY} runs\n`);
      await runAll(client, taskQueue, Math.min(900, MANY - done));
    }
    const after = await worker.weigh();
    const ratio = after / before;
    return {
      what: 'memory of a worker after 10,000 runs',
      measured: `${ratio.toFixed(2)} × (${megabytes(after)}, after 100 ${megabytes(before)})`,
      wanted: '≤ 1.2 ×',
      reached: ratio <= 1.2,
    };
  } finally {
    await worker.stop();
  }
}

async function runAll(client: Client, taskQueue: string, count: number): Promise<void> {
  let started = 0;
  const runner = async (): Promise<void> => {
    while (started++ < count) {
      const { pipelineRunId } = await startManualRun(client, chain(1), taskQueue, INTERVAL, randomUUID());
      await client.workflow.getHandle(pipelineRunId).result();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
