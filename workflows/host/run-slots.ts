import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  scheduleLocalActivity,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { RELEASE_SLOTS, SLOTS_ANSWER, SLOTS_SHORTAGE, type SlotsCall, slotsIdIn } from '../plan/slots/slot-messages.ts';
import { type RunScope, type SlotCall, TaskCanceled } from '../run/run-host.ts';
import { temporalScope } from '../temporal-scope.ts';
import { idWithinLimit } from './bounded-workflow-id.ts';

const ASK_AGAIN = '5 minutes';

/** Requests slots for a run and its tasks, receives the answers, and releases the slots. */
export class RunSlots {
  private readonly answers = new Map<string, boolean>();
  /** Callbacks for slot requests that exceed the capacity, by key. */
  private readonly waiting = new Map<string, (capacity: number) => void>();
  /** The keys of pool slots held by tasks, by task. */
  private readonly held = new Map<string, string>();

  /** @param heldByCallers keys of slots held by the tasks that wait for this run */
  constructor(readonly heldByCallers: readonly string[]) {
    setHandler(SLOTS_ANSWER, ({ key, granted }) => void this.answers.set(key, granted));
    setHandler(SLOTS_SHORTAGE, ({ key, capacity }) => this.waiting.get(key)?.(capacity));
  }

  /** The keys of slots held by tasks that wait for a run which this task started. */
  heldWhileWaiting(task: string): readonly string[] {
    const own = this.held.get(task);
    return [...this.heldByCallers, ...(own === undefined ? [] : [own])];
  }

  /** Implements `acquire` of the host. */
  async acquire(
    { workflowId: slotsId, kind, capacity, summary, onShortage, ...wanted }: SlotCall,
    scope: RunScope,
  ): Promise<(() => Promise<void>) | undefined> {
    const workflowId = idWithinLimit(slotsId);
    const { workflowId: holder, runId, workflowType } = workflowInfo();
    const key = `${runId} ${wanted.what} ${workflowId}`;
    const request = {
      ...wanted,
      key,
      workflowId: holder,
      runId,
      group: workflowType,
      ...(onShortage && { hearsShortage: true }),
      ...(kind === 'pool' && this.heldByCallers.length > 0 && { behind: this.heldByCallers }),
    };
    if (onShortage) this.waiting.set(key, onShortage);
    const call: SlotsCall = { workflowId, kind, request, ...(capacity !== undefined && { capacity }) };
    /** The workflow that the worker chose for its deployment; undefined until it has answered. */
    let managedBy: string | undefined;
    const release = (): Promise<void> =>
      CancellationScope.nonCancellable(async () => {
        const ids = managedBy === undefined ? possibleManagers(workflowId) : [managedBy];
        // A slots workflow that has ended, or does not know the key, has nothing to release.
        await Promise.all(
          ids.map((id) =>
            getExternalWorkflowHandle(id)
              .signal(RELEASE_SLOTS, key)
              .catch(() => undefined),
          ),
        );
      });
    const answered = async (): Promise<void> => {
      for (;;) {
        const options = { startToCloseTimeout: '30s', summary: `asks for ${summary}` } as const;
        // Workers of earlier releases return nothing.
        managedBy = (await scheduleLocalActivity<string | null>('request_slots', [call], options)) ?? workflowId;
        // Repeat the request from time to time: an operator may have terminated the workflow that received it.
        if (await condition(() => this.answers.has(key), ASK_AGAIN)) return;
      }
    };
    try {
      await temporalScope(scope).run(answered);
    } catch (error) {
      await release();
      throw isCancellation(error) ? new TaskCanceled('cancelled') : error;
    } finally {
      this.waiting.delete(key);
    }
    const isGranted = this.answers.get(key) === true;
    this.answers.delete(key);
    if (!isGranted) return undefined;
    if (kind !== 'pool') return release;
    this.held.set(wanted.what, key);
    return async () => {
      this.held.delete(wanted.what);
      await release();
    };
  }
}

/** The workflows that may have received a request whose answer is lost. Runs of earlier releases know only the first. */
function possibleManagers(id: string): readonly string[] {
  const own = slotsIdIn(workflowInfo().taskQueue, id);
  return own !== id && patched('slots-of-deployments') ? [id, own] : [id];
}
