import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { endDeadlock } from './pool-deadlocks.ts';
import { slotsOfDeployment } from './slots-of-deployment.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { REQUEST_SLOTS, SLOTS_WORKFLOW, type SlotsCall, type SlotsInput } from '../../workflows/plan/slots/slot-messages.ts';

/** Number of runs that are checked concurrently. */
const AT_ONCE = 20;

/** The activities for slots of pools and runs: they need a client, which workflows lack. */
export function createSlotActivities(client: Client, taskQueue: string) {
  return {
    /**
     * Requests slots; starts the workflow that manages them if it does not run. Idempotent.
     * @returns the id of that workflow
     */
    async request_slots({ workflowId: given, kind, ...call }: SlotsCall): Promise<string> {
      const workflowId = await slotsOfDeployment(client, taskQueue, given);
      const input: SlotsInput = { kind, state: { capacity: call.capacity ?? 0, holders: [], waiting: [], served: [] } };
      await client.workflow.signalWithStart(SLOTS_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [input],
        signal: REQUEST_SLOTS,
        signalArgs: [call],
        staticSummary: kind === 'pool' ? 'Slots that tasks share' : 'Runs that may be active at once',
      });
      if ((call.request.behind ?? []).length === 0) return workflowId;
      // The request that closes a cycle of pools passes here. If this check fails, the next request repeats it.
      await endDeadlock(client, taskQueue).catch(() => undefined);
      return workflowId;
    },

    /** @returns the run ids of those that have ended or no longer exist */
    async ended_runs(runs: readonly { readonly workflowId: string; readonly runId: string }[]): Promise<string[]> {
      const found: string[] = [];
      await inTurns(runs, AT_ONCE, async ({ workflowId, runId }) => {
        if (await hasEnded(client, workflowId, runId)) found.push(runId);
      });
      return found;
    },
  };
}

async function hasEnded(client: Client, workflowId: string, runId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).describe()).status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
