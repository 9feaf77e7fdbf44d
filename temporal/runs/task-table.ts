import type { Client } from '@temporalio/client';
import { TASK_TABLE_QUERY, type TaskTable, type TaskTableRequest } from '../../workflows/plan/tasks/task-table.ts';
import { isSilence } from '../answer.ts';
import type { RunReference } from './runs.ts';

/** Time limit for a run to answer, in milliseconds; a running worker answers within a few. */
export const ANSWER_WITHIN_MS = 3_000;
/** The SDK loses a query that arrives while it evicts a run that has just ended, so it is sent twice. */
const FIRST_TRY_MS = 1_000;

/**
 * Queries a run for its task table; also works for an ended run, if a worker serves its task queue.
 * @returns undefined if no worker answers within 3 s, or if the worker or the run is of an earlier release
 */
export async function askTaskTable(client: Client, run: RunReference, request: TaskTableRequest): Promise<TaskTable | undefined> {
  const handle = client.workflow.getHandle(run.pipelineRunId, run.temporalRunId);
  const ask = (withinMs: number): Promise<TaskTable> =>
    client.withDeadline(Date.now() + withinMs, () => handle.query(TASK_TABLE_QUERY, request));
  try {
    return await ask(FIRST_TRY_MS).catch((error: unknown) => {
      if (!isSilence(error)) throw error;
      return ask(ANSWER_WITHIN_MS - FIRST_TRY_MS);
    });
  } catch {
    // The cause may be the worker or the server. If it is the server, later calls fail and report it.
    return undefined;
  }
}
