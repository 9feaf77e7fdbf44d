import { CancelledFailure } from '@temporalio/common';
import { setCurrentDetails } from '@temporalio/workflow';
import type { ItemOutcome, ItemsInput } from './plan/tasks/items.ts';
import { runCalls } from './run/run-calls.ts';
import { TemporalHost } from './temporal-host.ts';

/**
 * Runs a part of a list that is too long for one history (Temporal ends a workflow at 51,200 events).
 * @returns the outcome of each call, in order; failures are returned, not thrown
 * @throws CancelledFailure when the run was cancelled
 */
export async function SluiceItems({ task, calls, parallel, stopAtFailure, heldByCallers }: ItemsInput): Promise<ItemOutcome[]> {
  const host = new TemporalHost(heldByCallers);
  let done = 0;
  let failed = 0;
  const outcomes = await runCalls(host, task, calls, {
    parallel,
    stopAtFailure,
    ended(outcome) {
      if (outcome.error === undefined) done++;
      else failed++;
      setCurrentDetails(`${done} of ${calls.length} done${failed > 0 ? `, ${failed} failed` : ''} (${task.name})`);
    },
  });
  if (host.canceled) throw new CancelledFailure('The run was cancelled');
  return outcomes;
}
