import { timeText } from './format.ts';
import type { OpenWait } from './task-table.ts';

/** What a task waits for, in a line: `Go? · asked: ann, bob · 1 of 2 votes · approve by ann`, `failed: connection refused`. */
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

/** Since when a task waits, and until when: `since 2024-01-01T00:00:00Z, until 2024-01-03T00:00:00Z`. */
export function waitTimes({ since, until }: OpenWait): string {
  return `since ${timeText(since)}${until === undefined ? '' : `, until ${timeText(until)}`}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
