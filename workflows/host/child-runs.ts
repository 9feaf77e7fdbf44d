import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  scheduleActivity,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { EARLIER_RUN_ACTIVITY, type EarlierRun, type EarlierRunQuestion } from '../plan/runs/earlier-run.ts';
import { siblingName, wholeRunId } from '../plan/ids.ts';
import type { RunResult } from '../plan/runs/run.ts';
import { runFacts } from '../plan/runs/run-facts.ts';
import { type ItemOutcome, ITEMS_WORKFLOW, type ItemsInput } from '../plan/tasks/items.ts';
import type { Json } from '../plan/values/json.ts';
import type { ItemsCall, PipelineCall, RunScope } from '../run/run-host.ts';
import { idWithinLimit } from './bounded-workflow-id.ts';
import { runWork } from './task-errors.ts';

/**
 * Starts a run of another pipeline, and waits for it to end if the call asks for that.
 * @param heldByCallers keys of slots held by the tasks that wait for that run
 * @throws TaskFailed, TaskCanceled
 */
export async function runPipeline(
  { parentRunId, taskId, attempt, task, plan, params, interval, wait }: PipelineCall,
  heldByCallers: readonly string[],
  scope: RunScope,
): Promise<Json> {
  const id = `${parentRunId}/${taskId}${attempt === 1 ? '' : `@${attempt}`}`;
  const facts = runFacts(plan, 'pipeline', { params, interval, heldByCallers, detail: `started by ${id}` });
  // The workflow id is derived from the cause: the parent's run and its task.
  const workflowId = idWithinLimit(wholeRunId(siblingName(parentRunId, plan.dagId), 'pipeline', id));
  const start = async (workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' | 'ALLOW_DUPLICATE'): Promise<RunResult | undefined> => {
    const child = await startChild(plan.dagId, {
      ...facts,
      workflowId,
      workflowIdReusePolicy,
      parentClosePolicy: wait ? ParentClosePolicy.REQUEST_CANCEL : ParentClosePolicy.ABANDON,
      cancellationType: wait ? ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED : ChildWorkflowCancellationType.ABANDON,
      ...(task.priority !== undefined && { priority: { priorityKey: task.priority } }),
    });
    return wait ? ((await child.result()) as RunResult) : undefined;
  };
  const result = await runWork(
    task,
    scope,
    () => start('ALLOW_DUPLICATE_FAILED_ONLY'),
    () => adoptOrReplace(workflowId, wait, scope, () => start('ALLOW_DUPLICATE')),
  );
  const outputs = Object.fromEntries(Object.entries(result?.tasks ?? {}).map(([name, { output = null }]) => [name, output]));
  return { run_id: workflowId, state: result?.state ?? 'running', outputs };
}

/** Runs a part of a long list in a child workflow with its own history. @throws TaskFailed, TaskCanceled */
export function runItems(
  { id, summary, input }: ItemsCall,
  heldByCallers: readonly string[],
  scope: RunScope,
): Promise<readonly ItemOutcome[]> {
  const workflowId = idWithinLimit(id);
  const start = (): Promise<ItemOutcome[]> =>
    executeChild<(input: ItemsInput) => Promise<ItemOutcome[]>>(ITEMS_WORKFLOW, {
      workflowId,
      args: [heldByCallers.length > 0 ? { ...input, heldByCallers } : input],
      staticSummary: summary,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
  return runWork(input.task, scope, start, () => adoptOrReplace(workflowId, true, scope, start));
}

/**
 * Handles a run that already has the id of a child: an operator has reset this run, or repeats it under its id. If this execution started
 * it and it succeeded, its result is that of the child; otherwise `start` replaces it.
 * @param wait whether this run waits for the end of its child
 */
async function adoptOrReplace<T>(workflowId: string, wait: boolean, scope: RunScope, start: () => Promise<T>): Promise<T> {
  const question: EarlierRunQuestion = { workflowId, since: workflowInfo().startTime.toISOString(), wait };
  try {
    const earlier = await scheduleActivity<EarlierRun>(EARLIER_RUN_ACTIVITY, [question], {
      summary: `the earlier run ${workflowId}`,
      startToCloseTimeout: '1 minute',
      retry: EARLIER_RUN_RETRY,
    });
    return earlier.kind === 'own' ? (earlier.result as T) : await start();
  } catch (error) {
    // It is not a child of this execution, so the server does not cancel it with this run.
    if (wait && scope.canceled) await cancelRun(workflowId);
    throw error;
  }
}

async function cancelRun(workflowId: string): Promise<void> {
  await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).cancel()).catch(() => undefined);
}

/** How often to check whether the earlier run has ended. */
const EARLIER_RUN_RETRY = { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '30s' } as const;
