import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { CATALOG } from '../../activities/catalog.ts';
import type { TaskType } from '../../activities/define-task.ts';
import { Compiler } from '../../compiler/compile.ts';
import type { PartName } from '../../dev/stack.ts';
import { connectClient } from '../../temporal/connect.ts';
import { startManualRun } from '../../temporal/runs.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/run.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { startProcess, type TestProcess } from './processes.ts';
import { testStack } from './test-stack.ts';

/** Pipelines as analysts write them, run by a worker process of a test file's own on real servers. */
export interface YamlRuns {
  /** `postgres_default`. */
  readonly source: TestDatabase;
  /** `redshift_default`. */
  readonly warehouse: TestDatabase;
  readonly worker: TestProcess;
  readonly client: Client;
  readonly taskQueue: string;
  /** Starts a run of a pipeline file for 2026-11-26. */
  start(yaml: string): Promise<WorkflowHandle>;
  /** Runs a pipeline file to its end, whichever it is. */
  run(yaml: string): Promise<RunResult>;
  close(): Promise<void>;
}

/** The data interval of the runs. */
export const RUN_DAY = { start: '2026-11-26T00:00:00Z', end: '2026-11-27T00:00:00Z' };

/**
 * Starts a worker. Close it in `after`.
 * @param options `worker`: a script that is started in place of worker.ts; `catalog`: the task types that it knows
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
  const start = async (yaml: string): Promise<WorkflowHandle> => {
    const { pipelineRunId } = await startManualRun(client, planOf(yaml, catalog), taskQueue, RUN_DAY, randomUUID(), {});
    return client.workflow.getHandle(pipelineRunId);
  };
  return {
    source,
    warehouse,
    worker,
    client,
    taskQueue,
    start,
    run: async (yaml) => resultOf(await start(yaml)),
    async close() {
      await worker.stop('SIGKILL');
      await client.connection.close();
      await Promise.all([source.drop(), warehouse.drop()]);
    },
  };
}

async function resultOf(run: WorkflowHandle): Promise<RunResult> {
  try {
    return (await run.result()) as RunResult;
  } catch (error) {
    const details = error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure ? error.cause.details : undefined;
    if (!details?.[0]) throw error;
    return details[0] as RunResult;
  }
}

function planOf(text: string, catalog: readonly TaskType[]): Plan {
  const { plan, diagnostics } = new Compiler(catalog).compile({ file: 'case.yaml', text });
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  return plan;
}
