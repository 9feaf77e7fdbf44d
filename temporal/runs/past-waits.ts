import type { Client } from '@temporalio/client';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { taskOfPast } from '../../workflows/plan/runs/past.ts';
import { codecOf, payloadReader } from '../codec/codec.ts';
import { listRuns } from './runs.ts';
import { messageOf } from './history-facts.ts';

/** A task that waits for an earlier run. */
export interface PastWait {
  readonly run: string;
  readonly task: string;
  /** ISO 8601. */
  readonly since: string;
  /** What it waits for, as last observed; null: not checked yet. */
  readonly waits_for: string | null;
}

/** Maximum number of active runs that are checked. */
const MOST_RUNS = 500;
const LOOKED_AT_ONCE = 20;

/**
 * Lists the tasks of a deployment that wait for earlier runs, oldest wait first; does not need a worker.
 * @returns `isComplete`: false if not all active runs were checked
 */
export async function listPastWaits(
  client: Client,
  taskQueue: string,
): Promise<{ readonly waits: readonly PastWait[]; readonly isComplete: boolean }> {
  const runs = await listRuns(client, MOST_RUNS + 1, undefined, 'ExecutionStatus = "Running"', taskQueue);
  const reader = payloadReader(codecOf(client));
  const waits: PastWait[] = [];
  await inTurns(runs.slice(0, MOST_RUNS), LOOKED_AT_ONCE, async ({ pipelineRunId, temporalRunId }) => {
    const { raw } = await client.workflow.getHandle(pipelineRunId, temporalRunId).describe();
    for (const { activityId, scheduledTime, lastStartedTime, lastFailure } of raw.pendingActivities ?? []) {
      const task = taskOfPast(activityId ?? '');
      const time = scheduledTime ?? lastStartedTime;
      if (task === undefined) continue;
      waits.push({
        run: pipelineRunId,
        task,
        since: new Date(Number(time?.seconds ?? 0) * 1000).toISOString(),
        waits_for: lastFailure ? messageOf(lastFailure, reader) : null,
      });
    }
  });
  return { waits: waits.sort((a, b) => a.since.localeCompare(b.since)), isComplete: runs.length <= MOST_RUNS };
}
