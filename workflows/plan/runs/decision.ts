import type { JsonObject } from '../values/json.ts';

/** What a person sends to an approval that waits. Wire data. */
export interface ApprovalVote {
  readonly task: string;
  readonly decision: 'approve' | 'reject';
  /** Who decides. */
  readonly by: string;
  readonly comment?: string;
  /** The fields that the approval asks for. */
  readonly form?: JsonObject;
}

/** Who asks for something, and why. Wire data. */
export interface OperatorWord {
  readonly by: string;
  readonly reason?: string;
}

/** An operator's word about one task. Wire data. */
export interface TaskWord extends OperatorWord {
  readonly task: string;
}

/** Updates that a run takes from operators, about itself and about one of its tasks. */
export const RUN_OPERATIONS = ['pause', 'unpause'] as const;
export type RunOperation = (typeof RUN_OPERATIONS)[number];

/** What is noted with the schedule of a pipeline that an operator has paused begins so. */
export const PAUSED_BY = 'paused by ';

export const TASK_OPERATIONS = ['skip', 'mark-success', 'retry'] as const;
export type TaskOperation = (typeof TASK_OPERATIONS)[number];

/** The signal that says who cancels a run, and why, before it is cancelled: Temporal's own request does not. */
export const CANCEL_WORD = 'cancel-word';

/** What a person decides of a task that is held on failure. Wire data. */
export interface HeldDecision {
  readonly task: string;
  readonly action: 'retry' | 'skip' | 'fail';
  readonly by: string;
  readonly reason?: string;
}
