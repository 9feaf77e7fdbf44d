import type { JsonObject } from './json.ts';

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

/** What a person decides of a task that is held on failure. Wire data. */
export interface HeldDecision {
  readonly task: string;
  readonly action: 'retry' | 'skip' | 'fail';
  readonly by: string;
  readonly reason?: string;
}
