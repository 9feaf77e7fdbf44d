import type { Client } from '@temporalio/client';
import { ownWorkflow } from '../own-workflow.ts';
import { listRuns, RunNotFound, type RunSummary, WAITING_RUNS } from './runs.ts';

/** Thrown when a dag_id matches no run or several; lists the candidates. */
export class RunUnclear extends Error {
  override readonly name = 'RunUnclear';
}

/** The states of runs that a command applies to. */
const FITTING = {
  open: { query: 'ExecutionStatus = "Running"', none: 'has no open run', many: 'are open' },
  waiting: {
    query: WAITING_RUNS,
    none: 'has no run that waits for a decision',
    many: 'wait for a decision',
  },
  failed: {
    query: 'ExecutionStatus IN ("Failed", "Canceled", "Terminated", "TimedOut")',
    none: 'has no unsuccessful run',
    many: 'did not succeed',
  },
} as const;

/** Maximum number of candidates in the message. */
const MAX_NAMED = 5;

/**
 * Finds the run that a user refers to.
 * @param name a run id, or a dag_id with only one matching run in the deployment
 * @param taskQueue of the deployment; absent: of all deployments
 * @returns its id
 * @throws RunNotFound, RunUnclear, OfAnotherDeployment
 */
export async function findRun(client: Client, name: string, fits: keyof typeof FITTING, taskQueue?: string): Promise<string> {
  if (name.includes('/')) return taskQueue === undefined ? name : ownWorkflow(client, taskQueue, name);
  const { query, none, many } = FITTING[fits];
  const runs = await listRuns(client, MAX_NAMED + 1, name, query, taskQueue);
  const [only] = runs;
  if (only && runs.length === 1) return only.pipelineRunId;
  if (only) {
    const named = runs.slice(0, MAX_NAMED).map(({ pipelineRunId }) => pipelineRunId);
    const count = runs.length > MAX_NAMED ? `More than ${MAX_NAMED}` : String(runs.length);
    throw new RunUnclear(`${count} runs of '${name}' ${many}: name one of them, such as ${named.join(', ')}.`);
  }
  const [newest] = await listRuns(client, 1, name, undefined, taskQueue);
  if (!newest) throw new RunNotFound(name);
  throw new RunUnclear(`'${name}' ${none}. ${describe(newest)} \`sluice runs ${name}\` lists them.`);
}

function describe({ pipelineRunId, state, endedAt }: RunSummary): string {
  return `The newest, '${pipelineRunId}', ${endedAt ? `has ended: ${state}` : `is ${state}`}.`;
}
