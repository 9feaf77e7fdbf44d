import { defineSignal, defineUpdate } from '../messages.ts';
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

/** Updates that operators send to a run, about the run itself. Wire data: `unpause` is `resume` everywhere else. */
export const RUN_UPDATES = {
  pause: defineUpdate<string, [OperatorRequest]>('pause'),
  unpause: defineUpdate<string, [OperatorRequest]>('unpause'),
};
export type RunOperation = keyof typeof RUN_UPDATES;

/** The name of an operation as people read it. @param update the name of the update */
export function operationName(update: string): string {
  return update === 'unpause' ? 'resume' : update;
}

/** Prefix of the note on the schedule of a pipeline that `sluice pause` has paused. Wire data. */
export const PAUSED_BY = 'paused by ';

/** Updates that operators send to a run, about one of its tasks. */
export const TASK_UPDATES = {
  skip: defineUpdate<string, [TaskRequest]>('skip'),
  'mark-success': defineUpdate<string, [TaskRequest]>('mark-success'),
  retry: defineUpdate<string, [TaskRequest]>('retry'),
};
export type TaskOperation = keyof typeof TASK_UPDATES;

/** Votes on an approval. */
export const DECIDE = defineUpdate<string, [ApprovalVote]>('decide');
/** Decides on a task that is held on failure. */
export const RESOLVE_HELD = defineUpdate<string, [HeldDecision]>('resolve-held');

/** The signal that records who cancels a run and why; Temporal's cancellation request records neither. */
export const CANCEL_REQUEST = defineSignal<[OperatorRequest]>('cancel-word');

/** A decision on a task that is on hold after a failure. Wire data. */
export interface HeldDecision {
  readonly task: string;
  readonly action: 'retry' | 'skip' | 'fail';
  readonly by: string;
  readonly reason?: string;
}

/** @returns what is wrong with who asks, or undefined */
export function checkRequest(request: OperatorRequest | undefined): string | undefined {
  return typeof request?.by === 'string' && request.by.trim() !== '' ? undefined : '`by` is missing: who makes this request?';
}
