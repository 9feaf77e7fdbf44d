import type { JsonObject } from '../values/json.ts';

/** A vote that a person sends to an open approval. Wire data. */
export interface ApprovalVote {
  readonly task: string;
  readonly decision: 'approve' | 'reject';
  /** Who decides. */
  readonly by: string;
  readonly comment?: string;
  /** The fields that the approval asks for. */
  readonly form?: JsonObject;
}

/** A request of an operator: by whom, and why. Wire data. */
export interface OperatorRequest {
  readonly by: string;
  readonly reason?: string;
}

/** A request of an operator about one task. Wire data. */
export interface TaskRequest extends OperatorRequest {
  readonly task: string;
}

/** Names of the updates that operators send to a run, about the run itself. Wire data: `unpause` is `resume` everywhere else. */
export const RUN_OPERATIONS = ['pause', 'unpause'] as const;
export type RunOperation = (typeof RUN_OPERATIONS)[number];

/** The name of an operation as people read it. @param update the name of the update */
export function operationName(update: string): string {
  return update === 'unpause' ? 'resume' : update;
}

/** Prefix of the note on the schedule of a pipeline that `sluice pause` has paused. Wire data. */
export const PAUSED_BY = 'paused by ';

export const TASK_OPERATIONS = ['skip', 'mark-success', 'retry'] as const;
export type TaskOperation = (typeof TASK_OPERATIONS)[number];

/** Name of the signal that records who cancels a run and why; Temporal's cancellation request records neither. Wire data. */
export const CANCEL_REQUEST = 'cancel-word';

/** A decision on a task that is on hold after a failure. Wire data. */
export interface HeldDecision {
  readonly task: string;
  readonly action: 'retry' | 'skip' | 'fail';
  readonly by: string;
  readonly reason?: string;
}
