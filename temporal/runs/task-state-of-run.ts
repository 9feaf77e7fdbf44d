import { ApplicationFailure, type Client, WorkflowFailedError } from '@temporalio/client';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import type { TaskState } from '../../workflows/plan/tasks/task-state.ts';
import { readHistory } from './follow-run.ts';
import type { RunSummary } from './runs.ts';
import { askTaskTable } from './task-table.ts';

/**
 * Reads the state of one task at the lowest cost: from the task table of an active run, or the result of an ended one.
 * @returns undefined if the run does not have the task; `unknown` if no worker answers
 */
export async function taskStateOf(
  client: Client,
  run: Pick<RunSummary, 'pipelineRunId' | 'temporalRunId' | 'endedAt'>,
  task: string,
): Promise<TaskState | 'unknown' | undefined> {
  if (run.endedAt === undefined) {
    const table = await askTaskTable(client, run, { outputs: false });
    return table ? (table.tasks[task]?.state ?? 'queued') : 'unknown';
  }
  const result = await resultOf(client, run);
  if (result) return result.tasks[task]?.state;
  // A run that was cancelled or terminated has no result.
  const { instances } = await readHistory(client, run);
  return instances.get(task)?.state;
}

async function resultOf(client: Client, run: Pick<RunSummary, 'pipelineRunId' | 'temporalRunId'>): Promise<RunResult | undefined> {
  try {
    return (await client.workflow.getHandle(run.pipelineRunId, run.temporalRunId).result()) as RunResult;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return error.cause instanceof ApplicationFailure ? (error.cause.details?.[0] as RunResult | undefined) : undefined;
  }
}
