import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Environment } from '../../../lib/environment.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { type TestBucket, createBucket } from '../buckets.ts';
import { createDatabase, type TestDatabase } from '../databases.ts';
import { TestKafka } from '../kafka.ts';
import { testStack } from '../test-stack.ts';
import { Worker } from './workers.ts';

/** The servers and workers on which many histories run concurrently. */
export interface Stage {
  readonly environment: Environment;
  readonly client: Client;
  readonly source: TestDatabase;
  readonly warehouse: TestDatabase;
  readonly bucket: TestBucket;
  readonly kafka: TestKafka;
  /** Each has a separate task queue. */
  readonly workers: readonly { readonly taskQueue: string; readonly worker: Worker }[];
  /** A unique part of names. */
  readonly tag: string;
  close(): Promise<void>;
}

/**
 * Minimum lifetime of the sensor worker, in milliseconds. After a kill, a sensor restarts when its heartbeat is 10 s overdue and its group
 * membership has expired 6 s later; more frequent kills by concurrent histories would prevent that. A full run plays thousands of histories
 * on a loaded machine, and needs more time.
 */
const SENSOR_LIFE_MS = process.env['SLUICE_CHAOS'] === 'full' ? 60_000 : 20_000;

/** Close it in `after`. */
export async function openStage(workers: number): Promise<Stage> {
  const stack = await testStack(['temporal', 'postgres', 's3', 'kafka']);
  const [source, warehouse, bucket] = await Promise.all([createDatabase(), createDatabase(), createBucket()]);
  const environment = {
    ...stack.encrypting,
    SLUICE_CONN_POSTGRES_DEFAULT: source.url,
    SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url,
  };
  const client = await connectClient(environment);
  await ensureSearchAttributes(client);
  const kafka = await TestKafka.connect(environment);
  const started = Array.from({ length: workers }, (_, number) => {
    const taskQueue = `histories-${randomUUID()}`;
    const lifeMs = number === workers - 1 ? SENSOR_LIFE_MS : 0;
    return { taskQueue, worker: new Worker({ ...environment, SLUICE_TASK_QUEUE: taskQueue }, lifeMs) };
  });
  await Promise.all(started.map(({ worker }) => worker.ready()));
  return {
    environment,
    client,
    source,
    warehouse,
    bucket,
    kafka,
    workers: started,
    tag: randomBytes(4).toString('hex'),
    async close() {
      await Promise.all(started.map(({ worker }) => worker.stop()));
      await kafka.close();
      await client.connection.close();
      await Promise.all([source.drop(), warehouse.drop(), bucket.drop()]);
    },
  };
}
