import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/run/create-activities.ts';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';

/** Runs one attempt of a task like a worker, but without a run. */
export async function runActivity(environment: Environment, type: string, params: JsonObject): Promise<Json> {
  const runs = { find: () => Promise.resolve([]), taskState: () => Promise.resolve(undefined), isUnderWay: () => Promise.resolve(false) };
  const dependencies = { connections: connectionsFrom(environment), secrets: new Scrubber([]), outputs: undefined, runs };
  const activity = createActivities(CATALOG, dependencies)[type];
  if (!activity) throw new Error(`There is no activity ${type}.`);
  // A separate run for each call: a call must not reuse the results of an earlier one.
  const workflowExecution = { workflowId: `bench/${randomUUID()}`, runId: 'bench' };
  const input: TaskInput = {
    params,
    interval: { start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T00:00:00.000Z' },
    run: {
      pipelineRunId: workflowExecution.workflowId,
      dagId: 'bench',
      execution: randomUUID(),
      startedAt: new Date().toISOString(),
    },
  };
  return new MockActivityEnvironment({ activityId: 'bench', workflowExecution }, { logger: new DefaultLogger('ERROR') }).run(
    activity,
    input,
  );
}

// When run as a process, this prints the peak memory of the task, in bytes.
if (process.argv[1] === import.meta.filename) {
  const [type = '', params = '{}'] = process.argv.slice(2);
  await runActivity(process.env, type, JSON.parse(params) as JsonObject);
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
}
