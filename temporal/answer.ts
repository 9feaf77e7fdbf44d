import {
  type Client,
  isGrpcCancelledError,
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';

/** Thrown when a workflow does not answer because no worker runs it. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(workflowId: string, cause: unknown) {
    super(
      `${workflowId} does not answer: is a worker running for its task queue? \`sluice worker\` starts one; \`sluice doctor\` checks everything.`,
      { cause },
    );
  }
}

/** A running worker answers within milliseconds. */
const WITHIN = 10_000;

/** Sends a workflow a request that only its worker can answer. @throws NoAnswer after 10 s, or `withinMs` */
export async function answered<T>(client: Client, workflowId: string, ask: () => Promise<T>, withinMs = WITHIN): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + withinMs, ask);
  } catch (error) {
    throw isSilence(error) ? new NoAnswer(workflowId, error) : error;
  }
}

/** Like `answered`, for lists: a workflow that does not answer must not hide the others. */
export async function answerIfAny<T>(client: Client, workflowId: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await answered(client, workflowId, ask);
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

/** Whether an error means that no worker has answered. */
export function isSilence(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  // The server rejects a query immediately if no worker has polled recently. The server and the client share the deadline: the first to
  // notice reports a deadline error or cancels the call.
  return isGrpcDeadlineError(cause) || isGrpcCancelledError(cause) || (isGrpcServiceError(cause) && cause.details.includes('no poller'));
}
