import type { ItemCall, ItemOutcome } from '../plan/tasks/items.ts';
import type { Json } from '../plan/values/json.ts';
import type { TaskPlan } from '../plan/plan.ts';
import { type RunHost, type RunScope, TaskCanceled } from './run-host.ts';
import { inPool } from './task-pool.ts';
import { errorText } from '../plan/values/error-text.ts';

interface Options {
  /** How many at a time. */
  readonly parallel: number;
  readonly stopAtFailure: boolean;
  /** The scope that contains the calls; absent: the workflow. */
  readonly inside?: RunScope;
  ended(outcome: ItemOutcome): void;
}

/** Runs activities, a limited number at a time. After a failure or cancellation, waits only for those that have started. */
export async function runCalls(host: RunHost, task: TaskPlan, calls: readonly ItemCall[], options: Options): Promise<ItemOutcome[]> {
  const outcomes: ItemOutcome[] = calls.map(() => ({}));
  let next = 0;
  const work = async (scope: RunScope): Promise<void> => {
    for (let place = next++; place < calls.length; place = next++) {
      const call = calls[place];
      if (!call) return;
      const outcome = await outcomeOf(inPool(host, task, call.id, scope, () => host.execute({ ...call, task }, scope)));
      if (outcome === 'canceled' || scope.canceled) next = calls.length;
      if (outcome === 'canceled') return;
      if (outcome.error !== undefined && options.stopAtFailure) next = calls.length;
      outcomes[place] = outcome;
      options.ended(outcome);
    }
  };
  const { inside } = options;
  await host.within(inside ? { inside } : {}, (scope) =>
    Promise.all(Array.from({ length: Math.min(options.parallel, calls.length) }, () => work(scope))),
  );
  return outcomes;
}

async function outcomeOf(work: Promise<Json>): Promise<ItemOutcome | 'canceled'> {
  try {
    return { output: await work };
  } catch (error) {
    return error instanceof TaskCanceled ? 'canceled' : { error: errorText(error) };
  }
}
