import { defineSignal, defineUpdate } from '../messages.ts';
import type { JsonObject } from '../values/json.ts';

/** A vote on an open approval. Wire data. */
export interface ApprovalVote {
  readonly task: string;
  readonly decision: 'approve' | 'reject';
  /** The person who decides. */
  readonly by: string;
  readonly comment?: string;
  /** The form fields that the approval requires. */
  readonly form?: JsonObject;
}

/** An operator request: who makes it, and why. Wire data. */
export interface OperatorRequest {
  readonly by: string;
  readonly reason?: string;
}

/** An operator request about one task. Wire data. */
export interface TaskRequest extends OperatorRequest {
  readonly task: string;
}

/** Operator updates to a run. Wire data: `unpause` is called `resume` everywhere else. */
export const RUN_UPDATES = {
  pause: defineUpdate<string, [OperatorRequest]>('pause'),
  unpause: defineUpdate<string, [OperatorRequest]>('unpause'),
};
export type RunOperation = keyof typeof RUN_UPDATES;

/** The name of an operation as shown to people. @param update the name of the update */
export function operationName(update: string): string {
  return update === 'unpause' ? 'resume' : update;
}

/** Prefix of the note on a schedule that `sluice pause` paused. Wire data. */
export const PAUSED_BY = 'paused by ';

/** Operator updates to a task of a run. */
export const TASK_UPDATES = {
  skip: defineUpdate<string, [TaskRequest]>('skip'),
  'mark-success': defineUpdate<string, [TaskRequest]>('mark-success'),
  retry: defineUpdate<string, [TaskRequest]>('retry'),
};
export type TaskOperation = keyof typeof TASK_UPDATES;

/** Update: votes on an approval. */
export const DECIDE = defineUpdate<string, [ApprovalVote]>('decide');
/** Update: decides on a task that is on hold after a failure. */
export const RESOLVE_HELD = defineUpdate<string, [HeldDecision]>('resolve-held');

/** Signal: records who cancels a run and why. Temporal's cancellation request records neither. */
export const CANCEL_REQUEST = defineSignal<[OperatorRequest]>('cancel-word');

/** A decision on a task that is on hold after a failure. Wire data. */
export interface HeldDecision {
  readonly task: string;
  readonly action: 'retry' | 'skip' | 'fail';
  readonly by: string;
  readonly reason?: string;
}

/** @returns what is wrong with the requester, or undefined */
export function checkRequest(request: OperatorRequest | undefined): string | undefined {
  return typeof request?.by === 'string' && request.by.trim() !== '' ? undefined : '`by` is missing: who makes this request?';
}
