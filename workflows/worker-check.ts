import { ActivityFailure } from '@temporalio/common';
import { isCancellation, scheduleActivity, sleep, workflowInfo } from '@temporalio/workflow';
import { type QueueActivities, type QueueAnswer, WORKER_CHECK_ACTIVITY, type WorkerCheckInput } from './plan/worker-check.ts';

/** How long workers that are there may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;
/** Questions at once, if one worker does not know everything: it alone cannot take all of them, so that others answer too. */
const QUESTIONS = 16;
/** Pauses between two rounds, in milliseconds. They grow with the time waited, so that histories stay short. */
const MIN_PAUSE_MS = 500;
const PAUSE_PART = 0.1;

/**
 * Waits until the workers of task queues know activities. No single worker needs to know all of them, because a worker gives back tasks
 * that it does not know.
 */
export function SluiceWorkerCheck({ queues, waitMs }: WorkerCheckInput): Promise<readonly QueueAnswer[]> {
  const startedAt = workflowInfo().startTime.getTime();
  return Promise.all(queues.map((each) => checkQueue(each, startedAt, startedAt + waitMs)));
}

async function checkQueue({ queue, activities }: QueueActivities, startedAt: number, deadline: number): Promise<QueueAnswer> {
  let isPolled = false;
  for (;;) {
    let missing = activities;
    const answers = await Promise.all(Array.from({ length: isPolled ? QUESTIONS : 1 }, () => ask(queue, activities)));
    for (const unknown of answers.flatMap((answer) => (answer ? [answer] : []))) {
      isPolled = true;
      missing = missing.filter((each) => unknown.includes(each));
    }
    if (missing.length === 0 || (Date.now() >= deadline && (answers.length > 1 || !isPolled))) return { queue, missing, isPolled };
    // After the first answer, ask the other workers at once.
    if (answers.length > 1 || !isPolled) await sleep(Math.max(MIN_PAUSE_MS, (Date.now() - startedAt) * PAUSE_PART));
  }
}

/** @returns the activities that the worker does not know which takes the question; undefined if none takes it */
async function ask(queue: string, activities: readonly string[]): Promise<readonly string[] | undefined> {
  try {
    return await scheduleActivity<readonly string[]>(WORKER_CHECK_ACTIVITY, [activities], {
      taskQueue: queue,
      summary: `task queue ${queue}`,
      scheduleToCloseTimeout: ANSWER_MS,
      // Workers of earlier releases do not know the question.
      retry: { maximumAttempts: 1 },
    });
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return undefined;
  }
}
