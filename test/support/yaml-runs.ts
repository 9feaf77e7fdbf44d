import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { CATALOG } from '../../activities/catalog.ts';
import type { TaskType } from '../../activities/define-task.ts';
import { Compiler } from '../../compiler/compile.ts';
import type { PartName } from '../../dev/stack.ts';
import { connectClient } from '../../temporal/connect.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import { createBucket, type TestBucket } from './buckets.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { startProcess, type TestProcess } from './processes.ts';
import { testStack } from './test-stack.ts';

/** Pipelines in YAML, run by a separate worker process for one test file on real servers. */
export interface YamlRuns {
  /** `postgres_default`. */
  readonly source: TestDatabase;
  /** `redshift_default`. */
  readonly warehouse: TestDatabase;
  readonly worker: TestProcess;
  readonly client: Client;
  readonly environment: Readonly<Record<string, string>>;
  readonly taskQueue: string;
  /** Starts a run of a pipeline file, by default for 2026-11-26. */
  start(yaml: string, given?: GivenRun): Promise<WorkflowHandle>;
  /** Runs a pipeline file until it ends, with any result. */
  run(yaml: string, given?: GivenRun): Promise<RunResult>;
  close(): Promise<void>;
}

/** The input of a manual run. */
export interface GivenRun {
  readonly interval?: DataInterval;
  readonly params?: JsonObject;
  /** Part of the run's id; default: random. */
  readonly id?: string;
  /** Other pipeline files, which this one may start. */
  readonly others?: readonly string[];
}

/** The data interval of the runs. */
export const RUN_DAY = { start: '2026-11-26T00:00:00Z', end: '2026-11-27T00:00:00Z' };

/**
 * Starts a worker. Close it in `after`.
 * @param options `worker`: a script to start instead of worker.ts; `catalog`: its task types
 */
export async function createYamlRuns(
  options: {
    readonly parts?: readonly PartName[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly worker?: string;
    readonly catalog?: readonly TaskType[];
  } = {},
): Promise<YamlRuns> {
  const { parts = ['temporal', 'postgres', 's3'], worker: script = 'worker.ts', catalog = CATALOG } = options;
  const stack = await testStack(parts);
  const [source, warehouse] = [await createDatabase(), await createDatabase()];
  const taskQueue = `yaml-${randomUUID()}`;
  const environment = {
    ...stack.environment,
    SLUICE_CONN_POSTGRES_DEFAULT: source.url,
    SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url,
    ...options.environment,
    SLUICE_TASK_QUEUE: taskQueue,
  };
  const client = await connectClient(environment);
  await ensureSearchAttributes(client);
  const worker = startProcess(script, [], environment);
  await worker.says('ready');
  const start = async (yaml: string, { interval = RUN_DAY, params = {}, id = randomUUID(), others }: GivenRun = {}) => {
    const plan = planOf(yaml, catalog, others);
    const { pipelineRunId, temporalRunId } = await startManualRun(client, plan, taskQueue, interval, id, params);
    return client.workflow.getHandle(pipelineRunId, temporalRunId);
  };
  return {
    source,
    warehouse,
    worker,
    client,
    environment,
    taskQueue,
    start,
    run: async (yaml, given) => resultOf(await start(yaml, given)),
    async close() {
      await worker.stop('SIGKILL');
      await client.connection.close();
      await Promise.all([source.drop(), warehouse.drop()]);
    },
  };
}

/** YAML runs with a bucket for their tasks. */
export interface BucketRuns {
  readonly runs: YamlRuns;
  readonly bucket: TestBucket;
  close(): Promise<void>;
}

/** Like `createYamlRuns`, with a bucket on the server of `aws_default`. Close it in `after`. */
export async function createBucketRuns(): Promise<BucketRuns> {
  const bucket = await createBucket();
  const runs = await createYamlRuns();
  return {
    runs,
    bucket,
    async close() {
      await runs.close();
      await bucket.drop();
    },
  };
}

/** Returns the result of a run, successful or not. */
export async function resultOf(run: WorkflowHandle): Promise<RunResult> {
  try {
    return (await run.result()) as RunResult;
  } catch (error) {
    const details = error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure ? error.cause.details : undefined;
    if (!details?.[0]) throw error;
    return details[0] as RunResult;
  }
}

/** @throws Error with all mistakes of the files */
export function planOf(text: string, catalog: readonly TaskType[] = CATALOG, others: readonly string[] = []): Plan {
  const files = [text, ...others].map((content, index) => ({ file: `case-${index}.yaml`, text: content }));
  const compiled = new Compiler(catalog).compileAll(files);
  const plan = compiled[0]?.plan;
  if (!plan) throw new Error(JSON.stringify(compiled.flatMap(({ diagnostics }) => diagnostics)));
  return plan;
}
