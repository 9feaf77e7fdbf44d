import assert from 'node:assert/strict';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import type { YamlRuns } from './yaml-runs.ts';

/** Runs a pipeline that fails. @returns the error of its task, and the number of attempts */
export async function failedTask(runs: YamlRuns, yaml: string, task: string): Promise<{ message: string; attempts: number }> {
  const handle = await runs.start(yaml);
  const failure: unknown = await handle.result().then(
    () => assert.fail('The run did not fail.'),
    (reason: unknown) => reason,
  );
  assert.ok(failure instanceof WorkflowFailedError && failure.cause instanceof ApplicationFailure, String(failure));
  const { tasks } = failure.cause.details?.[0] as RunResult;
  const { events = [] } = await handle.fetchHistory();
  const scheduled = events?.find(({ activityTaskScheduledEventAttributes: at }) => at?.activityId === task)?.eventId;
  const started = events?.find(({ activityTaskStartedEventAttributes: at }) => at?.scheduledEventId?.toString() === scheduled?.toString());
  return { message: tasks[task]?.error ?? '', attempts: started?.activityTaskStartedEventAttributes?.attempt ?? 0 };
}
