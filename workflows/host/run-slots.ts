import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  scheduleLocalActivity,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { RELEASE_SLOTS, SLOTS_ANSWER, SLOTS_SHORTAGE, type SlotsCall } from '../plan/slots/slot-messages.ts';
import { type RunScope, type SlotCall, TaskCanceled } from '../run/run-host.ts';
import { temporalScope } from '../temporal-scope.ts';
import { idWithinLimit } from './bounded-workflow-id.ts';

const ASK_AGAIN = '5 minutes';

/** The slots of a run and of its tasks: asks for them, hears the answers, and gives them back. */
export class RunSlots {
  private readonly answers = new Map<string, boolean>();
  /** Who of this run waits for slots and hears when there are too few, by key. */
  private readonly waiting = new Map<string, (capacity: number) => void>();
  /** The keys of pool slots that tasks hold, by the task. */
  private readonly held = new Map<string, string>();

  /** @param heldByCallers keys of slots that are held by those who wait for this run */
  constructor(readonly heldByCallers: readonly string[]) {
    setHandler(SLOTS_ANSWER, ({ key, granted }) => void this.answers.set(key, granted));
    setHandler(SLOTS_SHORTAGE, ({ key, capacity }) => this.waiting.get(key)?.(capacity));
  }

  /** The keys of slots that are held by those who wait for a run that this task has started. */
  heldWhileWaiting(task: string): readonly string[] {
    const own = this.held.get(task);
    return [...this.heldByCallers, ...(own === undefined ? [] : [own])];
  }

  /** As `acquire` of a host. */
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
    const release = (): Promise<void> =>
      CancellationScope.nonCancellable(() =>
        getExternalWorkflowHandle(workflowId)
          .signal(RELEASE_SLOTS, key)
          // Nobody holds them any more: there is nothing to give back.
          .catch(() => undefined),
      );
    const answered = async (): Promise<void> => {
      for (;;) {
        await scheduleLocalActivity('request_slots', [call], { startToCloseTimeout: '30s', summary: `asks for ${summary}` });
        // Asked again now and then: whoever had the request may be gone, by somebody's hand.
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
