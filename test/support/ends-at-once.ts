import assert from 'node:assert/strict';
import { CancelledFailure } from '@temporalio/common';
import type { TaskRun } from './run-task.ts';

/**
 * Fails unless a task ends within a second after its cancellation.
 * @param run starts the task, with a callback for its heartbeats
 * @param reached resolves when the task waits
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
