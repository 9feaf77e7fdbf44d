import { activityInfo, ApplicationFailure, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ACTIVITY_UNKNOWN, WORKER_CHECK_ACTIVITY } from '../../workflows/plan/worker-check.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

type Activities = Record<string, (...input: never[]) => Promise<unknown>>;

/** Limits of the time until another worker may take a task that this one gave back, in milliseconds. */
const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** The delay grows with the time that a task has waited: an unknown activity must not keep workers busy. */
const DELAY_PART = 0.25;

/**
 * Adds to a worker's activities the answer to `sluice apply`, which asks for the activities that it knows, and what it does with a task of
 * any other: it gives the task back, for a worker that knows it, as in a rolling update of workers.
 */
export function withUnknown(client: Client, activities: Activities): Activities {
  const known = new Set(Object.keys(activities));
  return {
    ...activities,
    /** Returns which of these activities the worker does not know. */
    [WORKER_CHECK_ACTIVITY]: (activities: readonly string[]) => Promise.resolve(activities.filter((each) => !known.has(each))),
    // The SDK calls it for every other activity.
    default: () => giveBack(client),
  };
}

async function giveBack(client: Client): Promise<never> {
  const { activityType, taskQueue, scheduledTimestampMs } = activityInfo();
  await allowAnotherAttempt(client).catch((error: unknown) => {
    log.warn(`The attempt counts as one of the task's own, because its limit could not be raised: ${errorText(error)}`);
  });
  throw ApplicationFailure.create({
    type: ACTIVITY_UNKNOWN,
    message: `No worker has taken the task yet that knows its type '${activityType}': deploy one for the task queue '${taskQueue}'.`,
    nextRetryDelay: Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, (Date.now() - scheduledTimestampMs) * DELAY_PART)),
  });
}

/** Raises the limit of attempts by this one. The server counts it, but it is none of the task's own `retries`. */
async function allowAnotherAttempt(client: Client): Promise<void> {
  const { activityId, workflowExecution: execution } = activityInfo();
  if (!execution) return;
  const { workflowId, runId } = execution;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const limit = raw.pendingActivities?.find((each) => each.activityId === activityId)?.maximumAttempts ?? 0;
  // Without a limit there is nothing to raise.
  if (limit === 0) return;
  await client.workflowService.updateActivityOptions({
    namespace: client.options.namespace,
    execution,
    id: activityId,
    activityOptions: { retryPolicy: { maximumAttempts: limit + 1 } },
    updateMask: { paths: ['retry_policy.maximum_attempts'] },
  });
}
