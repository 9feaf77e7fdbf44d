import { ApplicationFailure, type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { ApprovalVote, HeldDecision } from '../workflows/plan/decision.ts';
import { RunNotFound } from './runs.ts';

/** Thrown when a run does not take a decision; the message is the run's own. */
export class DecisionRefused extends Error {
  override readonly name = 'DecisionRefused';
}

/** Votes on an approval. @throws RunNotFound, DecisionRefused */
export function decideApproval(client: Client, pipelineRunId: string, vote: ApprovalVote): Promise<string> {
  return update(client, pipelineRunId, 'decide', vote);
}

/** Decides on a task that is held on failure. @throws RunNotFound, DecisionRefused */
export function resolveHeldTask(client: Client, pipelineRunId: string, decision: HeldDecision): Promise<string> {
  return update(client, pipelineRunId, 'resolve-held', decision);
}

async function update(client: Client, pipelineRunId: string, name: string, decision: ApprovalVote | HeldDecision): Promise<string> {
  try {
    return await client.workflow.getHandle(pipelineRunId).executeUpdate<string, [ApprovalVote | HeldDecision]>(name, { args: [decision] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new RunNotFound(pipelineRunId);
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
      throw new DecisionRefused(error.cause.message);
    throw error;
  }
}
