import { timeText } from '../values/format.ts';
import type { OpenWait } from './task-table.ts';

/** One line on what a task waits for: `Go? · asked: ann, bob · 1 of 2 votes · approve by ann`, `failed: connection refused`. */
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

/** The start and end of a wait: `since 2024-01-01T00:00:00Z, until 2024-01-03T00:00:00Z`. */
export function waitTimes({ since, until }: OpenWait): string {
  return `since ${timeText(since)}${until === undefined ? '' : `, until ${timeText(until)}`}`;
}

/** The memo entry that lists a run's waits for people. It is readable while no worker answers for the run. */
export const WAITS_MEMO = 'sluice_waits_for';
/** A run rewrites its memo whenever these lines change, so they are few and short. Maximum lines, and characters per line. */
const MAX_LINES = 5;
const MAX_LINE = 200;

/** The lines of `WAITS_MEMO`: who is asked what, since when and until when. Votes are omitted. */
export function waitsMemo(waits: readonly OpenWait[]): string[] {
  const lines = waits.slice(0, MAX_LINES).map((wait) => {
    const what = `${wait.task}: ${waitText({ ...wait, quorum: 1, votes: [] })}`;
    return `${what.length > MAX_LINE ? `${what.slice(0, MAX_LINE)}…` : what} (${waitTimes(wait)})`;
  });
  return waits.length > MAX_LINES ? [...lines, '…'] : lines;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
