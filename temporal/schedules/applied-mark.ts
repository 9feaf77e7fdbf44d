import type { SourceMark } from '../deployment/pipeline-source.ts';

/**
 * What a list of Schedules shows of what was applied, in the search attribute `SluicePlanHash`:
 * `<hash of the definition>[@<project>.<file>][+pending]`, or `deleted`.
 */
export interface AppliedMark {
  readonly planHash: string;
  /** Absent where it was applied by an earlier version. */
  readonly source?: SourceMark;
  /** Whether its last update has left something to do. */
  readonly isPending: boolean;
}

const PENDING = '+pending';
/** Marks a Schedule that is kept only because it was paused: a pipeline that comes back is still paused. */
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
