import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy, startChild } from '@temporalio/workflow';
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
  const workflowId = idWithinLimit(`${plan.dagId}/pipeline/${id}`);
  const started = async (): Promise<RunResult | undefined> => {
    const child = await startChild(plan.dagId, {
      ...facts,
      workflowId,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: wait ? ParentClosePolicy.REQUEST_CANCEL : ParentClosePolicy.ABANDON,
      cancellationType: wait ? ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED : ChildWorkflowCancellationType.ABANDON,
      ...(task.priority !== undefined && { priority: { priorityKey: task.priority } }),
    });
    return wait ? ((await child.result()) as RunResult) : undefined;
  };
  const result = await runWork(task, scope, started);
  const outputs = Object.fromEntries(Object.entries(result?.tasks ?? {}).map(([name, { output = null }]) => [name, output]));
  return { run_id: workflowId, state: result?.state ?? 'running', outputs };
}

/** Runs a part of a long list in a child workflow with its own history. @throws TaskFailed, TaskCanceled */
export function runItems(
  { id, summary, input }: ItemsCall,
  heldByCallers: readonly string[],
  scope: RunScope,
): Promise<readonly ItemOutcome[]> {
  return runWork(input.task, scope, () =>
    executeChild<(input: ItemsInput) => Promise<ItemOutcome[]>>(ITEMS_WORKFLOW, {
      workflowId: idWithinLimit(id),
      args: [heldByCallers.length > 0 ? { ...input, heldByCallers } : input],
      staticSummary: summary,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    }),
  );
}
