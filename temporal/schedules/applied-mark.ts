import type { SourceMark } from '../deployment/pipeline-source.ts';

/**
 * The search attribute `SluicePlanHash`, which shows in a list of Schedules what was applied:
 * `<hash of the definition>[@<project>.<file>][+pending]`, or `deleted`.
 */
export interface AppliedMark {
  readonly planHash: string;
  /** Absent if it was applied by an earlier version. */
  readonly source?: SourceMark;
  /** Whether its last update has an unfinished follow-up. */
  readonly isPending: boolean;
}

const PENDING = '+pending';
/** Marks a deleted Schedule that is kept because it was paused: if the pipeline returns, it is still paused. */
export const DELETED = 'deleted';

export function writeMark({ planHash, source, isPending }: AppliedMark): string {
  return `${planHash}${source ? `@${source.project}.${source.file}` : ''}${isPending ? PENDING : ''}`;
}

export function readMark(text: string): AppliedMark {
  const isPending = text.endsWith(PENDING);
  const rest = isPending ? text.slice(0, -PENDING.length) : text;
  const [, planHash = rest, project, file] = /^(.*)@([0-9a-f]+)\.([0-9a-f]+)$/.exec(rest) ?? [];
  return { planHash, ...(project !== undefined && file !== undefined && { source: { project, file } }), isPending };
}
