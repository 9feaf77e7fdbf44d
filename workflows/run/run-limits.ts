import { identityText } from '../plan/values/exact-json.ts';
import type { Json } from '../plan/values/json.ts';
import type { Plan } from '../plan/plan.ts';
import { runSlotsId } from '../plan/slots/slot-messages.ts';
import type { SlotCall } from './run-host.ts';

/** Priority of backfills among waiting runs. Manual and scheduled runs go first. */
export const BACKFILL_PRIORITY = 4;
const LIVE_PRIORITY = 3;

/**
 * The slots that a run needs before it may start, in the order in which it must request them.
 * @param evaluate the value of an expression of the plan
 */
export function runLimits(plan: Plan, isBackfill: boolean, evaluate: (expression: string) => Json): SlotCall[] {
  const { dagId, maxActiveRuns, concurrency } = plan;
  const common = { kind: 'runs', what: 'run', slots: 1, priority: isBackfill ? BACKFILL_PRIORITY : LIVE_PRIORITY } as const;
  const calls: SlotCall[] = [];
  if (maxActiveRuns !== undefined) {
    calls.push({
      ...common,
      workflowId: runSlotsId(dagId),
      capacity: maxActiveRuns,
      onOverlap: 'queue',
      summary: `at most ${maxActiveRuns} runs of ${dagId}`,
    });
  }
  if (concurrency) {
    const { limit, key, onOverlap } = concurrency;
    const value = key === undefined ? undefined : identityText(evaluate(key));
    calls.push({
      ...common,
      // The default key `*` keeps this workflow id different from that of max_active_runs.
      workflowId: runSlotsId(dagId, value ?? '*'),
      capacity: limit,
      onOverlap,
      summary: `at most ${limit} runs of ${dagId}${value === undefined ? '' : ` for ${value}`}`,
    });
  }
  return calls;
}
