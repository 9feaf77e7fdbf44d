import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';

/** Returns the failure of a task that must fail. */
export async function failureOf(task: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await task.then(
    () => assert.fail('The task did not fail.'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApplicationFailure, String(error));
  return error;
}
