import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import type { Environment } from '../../lib/environment.ts';
import { dataConverterFrom } from '../../temporal/codec/codec.ts';
import { connectClient } from '../../temporal/connect.ts';
import { connectWorker } from '../../temporal/worker/connect-worker.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { compare, type Sample } from '../comparison.ts';
import type { Measure } from '../measure.ts';
import { benchActivities } from './activities.ts';
import { chain, fanOut, INTERVAL } from './plans.ts';

const PAIRS = 25;
const WARM_UP_ROUNDS = 10;

interface Side {
  run(plan: Plan): Promise<Sample>;
  close(): Promise<void>;
}

/** Measures the cost of encrypted payloads: the same runs with and without keys, each with a separate worker and client. */
export async function measureEncryption(environment: Environment): Promise<Measure[]> {
  const [encrypted, plain] = [await openSide(environment), await openSide(withoutKeys(environment))];
  try {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) for (const side of [encrypted, plain]) await side.run(chain(100));
    const measures: Measure[] = [];
    for (const [what, plan] of [
      ['chain of 100 tasks, encrypted against not', chain(100)],
      ['fan-out of 500 tasks, encrypted against not', fanOut(500)],
    ] as const) {
      measures.push(
        ...(await compare(
          what,
          { time: 1.05 },
          PAIRS,
          () => encrypted.run(plan),
          () => plain.run(plan),
        )),
      );
    }
    return measures;
  } finally {
    await Promise.all([encrypted.close(), plain.close()]);
  }
}

/** The environment of the same stack, without encryption. */
export function withoutKeys(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('SLUICE_PAYLOAD_')));
}

async function openSide(environment: Environment): Promise<Side> {
  const taskQueue = `bench-encryption-${randomUUID()}`;
  const dataConverter = dataConverterFrom(environment);
  const client = await connectClient(environment);
  const { connection, namespace } = await connectWorker(environment);
  const worker = await Worker.create({
    ...{ connection, namespace, taskQueue, dataConverter, activities: benchActivities },
    workflowBundle: await workflowBundle('index', dataConverter),
  });
  const running = worker.run();
  return {
    async run(plan) {
      const began = performance.now();
      const { pipelineRunId } = await startManualRun(client, plan, taskQueue, INTERVAL, randomUUID());
      await client.workflow.getHandle(pipelineRunId).result();
      return { ms: performance.now() - began };
    },
    async close() {
      worker.shutdown();
      await running;
      await connection.close();
      await client.connection.close();
    },
  };
}
