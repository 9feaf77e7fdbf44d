import { ApplicationFailure, type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { type ApprovalVote, DECIDE, type HeldDecision, RESOLVE_HELD } from '../../workflows/plan/runs/decision.ts';
import type { UpdateDefinition } from '@temporalio/common';
import { answered } from '../answer.ts';
import { explainRefusal } from './runs.ts';

/** Thrown when a run rejects a decision; the message is the run's own. */
export class DecisionRefused extends Error {
  override readonly name = 'DecisionRefused';
}

/** Votes on an approval. @throws RunNotFound, DecisionRefused */
export function decideApproval(client: Client, pipelineRunId: string, vote: ApprovalVote): Promise<string> {
  return sendUpdate(client, pipelineRunId, DECIDE, vote);
}

/** Decides on a task on hold after a failure. @throws RunNotFound, DecisionRefused */
export function resolveHeldTask(client: Client, pipelineRunId: string, decision: HeldDecision): Promise<string> {
  return sendUpdate(client, pipelineRunId, RESOLVE_HELD, decision);
}

/** Sends an update to a run or another workflow. @returns its answer @throws RunNotFound, RunEnded, DecisionRefused, NoAnswer */
export async function sendUpdate<D>(
  client: Client,
  pipelineRunId: string,
  update: UpdateDefinition<string, [D]>,
  decision: D,
  withinMs?: number,
): Promise<string> {
  try {
    return await answered(
      client,
      pipelineRunId,
      () => client.workflow.getHandle(pipelineRunId).executeUpdate(update, { args: [decision] }),
      withinMs,
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw await explainRefusal(client, pipelineRunId);
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
      throw new DecisionRefused(error.cause.message);
    throw error;
  }
}
