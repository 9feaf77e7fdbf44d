import type { Client } from '@temporalio/client';
import { TASK_TABLE_QUERY, type TaskTable, type TaskTableRequest } from '../../workflows/plan/tasks/task-table.ts';
import { isSilence } from '../answer.ts';
import type { RunReference } from './runs.ts';

/** How long a run may take to answer, in milliseconds; a worker that is there needs a few. */
export const ANSWER_WITHIN_MS = 3_000;
/** The SDK loses a query that reaches it while it lets go of a run that has just ended: so it is asked twice. */
const FIRST_TRY_MS = 1_000;

/**
 * Asks a run how its tasks stand; one that has ended too, as long as a worker serves its task queue.
 * @returns undefined when no worker answers within 3 s, or when the worker, or the run, is of an earlier release
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
