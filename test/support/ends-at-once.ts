import assert from 'node:assert/strict';
import { CancelledFailure } from '@temporalio/common';
import type { TaskRun } from './run-task.ts';

/**
 * Fails unless a task ends within a second when it is cancelled.
 * @param run starts it, with what is to be done at its signs of life
 * @param reached when it has come to where it waits
 */
export async function endsAtOnce(
  run: (watch: Required<Pick<TaskRun, 'onProgress'>>) => Promise<unknown>,
  reached: Promise<void>,
): Promise<void> {
  let cancel = (): void => assert.fail('there was no sign of life');
  const cancelled = assert.rejects(run({ onProgress: (_, end) => (cancel = end) }), CancelledFailure);
  await reached;
  const began = performance.now();
  cancel();
  await cancelled;
  assert.ok(performance.now() - began < 1_000);
}
