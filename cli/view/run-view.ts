import type { Progress, ProgressStep } from '../../lib/progress.ts';
import { formatTable } from '../../lib/table.ts';
import type { RunFollower } from '../../temporal/runs/follow-run.ts';
import type { RunSummary } from '../../temporal/runs/runs.ts';
import type { TaskInstance } from '../../temporal/runs/task-instance.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { describeOutput, formatRows } from '../../workflows/plan/values/format.ts';
import { STATE_MARKS } from '../../workflows/plan/tasks/task-state.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';

/** Shows a run while it happens: one line for each running task, with attempts and progress. */
export function runView(progress: Progress): RunFollower {
  const steps = new Map<string, ProgressStep>();
  const ended = new Set<string>();
  return {
    task(instance, point) {
      const { task, summary, state, error, output, attempt, note } = instance;
      // A task that waits for a pool or for its previous run has a note.
      if ((state === 'queued' && note === undefined) || ended.has(task)) return;
      let step = steps.get(task);
      if (!step) steps.set(task, (step = progress.step(`${task}  ${summary}`.trimEnd())));
      switch (state) {
        case 'success':
          step.done([describeOutput(output), note].filter(Boolean).join(' · ') || undefined);
          ended.add(task);
          break;
        case 'failed':
          step.fail(error ?? 'failed');
          ended.add(task);
          break;
        case 'skipped':
        case 'upstream_failed':
        case 'canceled':
          step.end(STATE_MARKS[state], [state, note].filter(Boolean).join(': '));
          ended.add(task);
          break;
        default: {
          const what =
            formatRows(point as Json) ?? (typeof point === 'object' && point && 'stage' in point ? String(point.stage) : undefined);
          step.update(
            [
              attempt > 1 && `attempt ${attempt}`,
              state === 'up_for_retry' && `waits for a retry: ${error ?? ''}`,
              state === 'queued' && note,
              what,
            ]
              .filter(Boolean)
              .join(' · '),
          );
        }
      }
    },
  };
}

/** Describes the state of a run: `success, without some items` if it continued without failed items. */
export function runState({ state, isPartial }: Pick<RunSummary, 'state' | 'isPartial'>): string {
  return isPartial ? `${state}, without some items` : state;
}

/** Describes a task and its result. For an approval, the rendered question. */
function wordsOf({ type, summary, output, note, wait }: TaskInstance): string {
  const prompt = type === 'approval' && isMap(output) ? output.prompt : undefined;
  const about = typeof prompt === 'string' ? prompt : wait?.kind === 'approval' ? undefined : summary;
  return [about, describeOutput(output), note].filter(Boolean).join(' · ');
}

/** Number of failed items shown in text output. */
const MAX_ITEMS = 20;

/** Formats the tasks of a run as a table, followed by full error messages. */
export function formatTasks(tasks: readonly TaskInstance[]): string {
  const rows = tasks.map((instance) => {
    const { task, type, state, attempt, startedAt, endedAt } = instance;
    return [
      task,
      type,
      state,
      String(attempt),
      startedAt?.toISOString().slice(11, 19) ?? '',
      startedAt && endedAt ? formatDuration(endedAt.getTime() - startedAt.getTime()) : '',
      wordsOf(instance),
    ];
  });
  const failures = tasks.flatMap(({ task, error, failedItems = [] }) => [
    ...(error === undefined ? [] : [`\n${task}: ${error}`]),
    ...failedItems.slice(0, MAX_ITEMS).map((failed) => `\n${task}${failed.item}: ${failed.error}`),
    ...(failedItems.length > MAX_ITEMS
      ? [`\n${task}: ${failedItems.length - MAX_ITEMS} more items failed; \`-o json\` shows all of them`]
      : []),
  ]);
  return [formatTable(['TASK', 'TYPE', 'STATE', 'ATTEMPT', 'STARTED', 'TOOK', 'WHAT'], rows), ...failures].join('\n');
}
