import { allTasks, type Plan, type TaskPlan } from '../plan.ts';
import type { DataInterval } from '../timetable/schedule.ts';
import { describeOutput } from '../values/format.ts';
import { isFinal, STATE_MARKS } from './task-state.ts';
import type { TaskResult } from '../runs/run.ts';
import type { OpenWait } from './task-table.ts';
import { waitText, waitTimes } from './wait-text.ts';

/** With more tasks, the table omits those that are done or waiting. */
const MAX_ROWS = 60;

/** The task table as the Temporal UI shows it, with waits and operator actions: Markdown with fenced text. */
export function taskTableText(
  plan: Plan,
  interval: DataInterval,
  results: ReadonlyMap<string, TaskResult>,
  waits: readonly OpenWait[] = [],
  operations: readonly string[] = [],
): string {
  const tasks = allTasks(plan);
  const shown = tasks.length <= MAX_ROWS ? tasks : interesting(tasks, results);
  const width = Math.max(0, ...shown.map((task) => task.name.length));
  const rows = shown.map(({ name }) => {
    const result = results.get(name) ?? QUEUED;
    return `${STATE_MARKS[result.state]} ${name.padEnd(width)}  ${wordsOf(result)}`;
  });
  let done = 0;
  for (const { state } of results.values()) if (isFinal(state)) done++;
  const heading = `${done} of ${tasks.length} tasks done · data of ${interval.start} – ${interval.end}`;
  const rest = tasks.length - shown.length;
  if (rest > 0) rows.push(`  … and ${rest} more`);
  rows.push(
    ...waits.flatMap((wait, index) => [
      ...(index === 0 ? ['', 'waits for a decision:'] : []),
      `  ${wait.task}  ${waitText(wait)}`,
      `    ${waitTimes(wait)}`,
    ]),
  );
  rows.push(...operations.slice(-MAX_OPERATIONS).map((operation, index) => `${index === 0 ? '\n' : ''}! ${operation}`));
  return `${heading}\n\n\`\`\`text\n${rows.join('\n')}\n\`\`\``;
}

const QUEUED: TaskResult = { state: 'queued' };

function interesting(tasks: readonly TaskPlan[], results: ReadonlyMap<string, TaskResult>): TaskPlan[] {
  const found: TaskPlan[] = [];
  for (const task of tasks) {
    const state = results.get(task.name)?.state ?? 'queued';
    if (state === 'success' || state === 'queued') continue;
    found.push(task);
    if (found.length === MAX_ROWS) break;
  }
  return found;
}

function wordsOf({ state, output, error, note }: TaskResult): string {
  const details = [note, firstLine(error ?? describeOutput(output) ?? '')].filter(Boolean).join(' · ');
  return `${state.padEnd(9)} ${details}`.trimEnd();
}

/** The table shows only the latest operations. */
const MAX_OPERATIONS = 10;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
