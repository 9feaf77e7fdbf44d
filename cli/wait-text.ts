import type { OpenWait } from '../workflows/plan/task-table.ts';

/** A time for people, in UTC, to the second. @param ms since 1970 */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** What a task waits for, in a line: `Go? Asked: ann, bob; 1 of 2 votes`, `held: connection refused`. */
export function waitText({ kind, prompt, assignees, quorum = 1, votes = [], error }: OpenWait): string {
  if (kind === 'held') return `failed: ${firstLine(error ?? '')}`;
  return [
    prompt,
    assignees && `asked: ${assignees.join(', ')}`,
    quorum > 1 && `${votes.length} of ${quorum} votes`,
    votes.length > 0 && votes.join(', '),
  ]
    .filter(Boolean)
    .join(' · ');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
