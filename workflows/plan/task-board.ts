import { allTasks, type Plan } from './plan.ts';
import type { DataInterval } from './schedule.ts';
import { formatRows } from './format.ts';
import { isFinal, type TaskState } from './task-state.ts';
import type { TaskResult } from './run.ts';

const MARKS: Readonly<Record<TaskState, string>> = {
  queued: '·',
  running: '▶',
  up_for_retry: '↻',
  deferred: '…',
  held: '‖',
  success: '✔',
  failed: '✘',
  skipped: '–',
  upstream_failed: '⊘',
  canceled: '■',
};

/** Beyond this many tasks the table shows only those that are not simply done or waiting. */
const MAX_ROWS = 60;

/** The table of tasks with their states and what operators did, as the Temporal UI shows it (current details of a run): Markdown with fenced text. */
export function taskBoard(
  plan: Plan,
  interval: DataInterval,
  results: ReadonlyMap<string, TaskResult>,
  operations: readonly string[] = [],
): string {
  const of = (name: string): TaskResult => results.get(name) ?? { state: 'queued' };
  const interesting = (state: TaskState): boolean => state !== 'success' && state !== 'queued';
  const tasks = allTasks(plan);
  const shown = tasks.length <= MAX_ROWS ? tasks : tasks.filter((task) => interesting(of(task.name).state)).slice(0, MAX_ROWS);
  const width = Math.max(0, ...shown.map((task) => task.name.length));
  const rows = shown.map((task) => {
    const { state, output, error, note: words } = of(task.name);
    const note = [words, error ? firstLine(error) : formatRows(output)].filter(Boolean).join(' · ');
    return `${MARKS[state]} ${task.name.padEnd(width)}  ${state.padEnd(9)} ${note}`.trimEnd();
  });
  const done = [...results.values()].filter((result) => isFinal(result.state)).length;
  const heading = `${done} of ${tasks.length} tasks done · data of ${interval.start} – ${interval.end}`;
  const rest = tasks.length - shown.length;
  if (rest > 0) rows.push(`  … and ${rest} more`);
  rows.push(...operations.slice(-MAX_OPERATIONS).map((operation, index) => `${index === 0 ? '\n' : ''}! ${operation}`));
  return `${heading}\n\n\`\`\`text\n${rows.join('\n')}\n\`\`\``;
}

/** Of what operators have done, the newest. */
const MAX_OPERATIONS = 10;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
