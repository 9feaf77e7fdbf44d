import type { Client } from '@temporalio/client';
import type { LastSuccess, RunDetails, TaskMismatch } from '../../monitors/facts.ts';
import { describeOutput } from '../../workflows/plan/values/format.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { readMismatch } from '../../workflows/plan/datasets/mismatch.ts';
import type { RunInput } from '../../workflows/plan/runs/run.ts';
import { resolveRunParams } from '../../workflows/plan/runs/run-params.ts';
import { isFinal } from '../../workflows/plan/tasks/task-state.ts';
import { showRun } from './follow-run.ts';
import { readRunInput } from './run-input.ts';
import { listRuns, type RunReference } from './runs.ts';
import type { TaskInstance } from './task-instance.ts';

/** Collects the details of a run for a page. */
export async function readRunDetails(client: Client, run: RunReference): Promise<RunDetails> {
  const { instances, error } = await showRun(client, run);
  const tasks = instances.all();
  const failed = tasks.find(({ state }) => state === 'failed' || state === 'held');
  const rows = tasks.flatMap(({ task, output }): [string, number][] => {
    const count = isMap(output) ? output.rows : undefined;
    return typeof count === 'number' ? [[task, count]] : [];
  });
  return {
    standing: tasks.flatMap(statusOf),
    mismatches: tasks.flatMap(mismatchOf),
    failedItems: tasks.flatMap(({ task, failedItems = [] }) => failedItems.map(({ item, error }) => `${task}${item}: ${error}`)),
    params: paramsOf(instances.input),
    ...(error !== undefined && { error }),
    ...(failed && { failed: { task: failed.task, attempt: failed.attempt, ...(failed.error !== undefined && { error: failed.error }) } }),
    rows: Object.fromEntries(rows),
  };
}

/** Finds the last success of a pipeline of a deployment, at any time in the past. @param except a run to ignore */
export async function readLastSuccess(
  client: Client,
  taskQueue: string,
  dagId: string,
  except: RunReference | undefined,
): Promise<LastSuccess | undefined> {
  const ended = await listRuns(client, LOOKED_AT, dagId, 'ExecutionStatus = "Completed"', taskQueue);
  const run = ended.find(({ state, temporalRunId }) => state === 'success' && temporalRunId !== except?.temporalRunId);
  const input = run && (await readRunInput(client, run));
  if (!run?.endedAt || !input) return undefined;
  return { endedAt: run.endedAt.getTime(), isPartial: run.isPartial === true, plan: input.plan, params: paramsOf(input) };
}

/** Number of runs to check: the list of completed runs includes those that ended because another run was active. */
const LOOKED_AT = 20;

function paramsOf(input: RunInput | undefined) {
  return input ? resolveRunParams(input.plan, input.params ?? {}).params : {};
}

function mismatchOf({ task, type, output, error }: TaskInstance): TaskMismatch[] {
  if (type !== 'reconcile' || isRepaired(output)) return [];
  const text = error ?? describeOutput(output) ?? '';
  const found = readMismatch(text);
  return found ? [{ task, text, ...found }] : [];
}

function isRepaired(output: Json | undefined): boolean {
  return isMap(output) && typeof output.repaired === 'number' && output.repaired > 0;
}

/** Describes a task that is in progress, for a page. */
function statusOf({ task, state, attempt, startedAt, error, note, wait }: TaskInstance): string[] {
  if (isFinal(state) || startedAt === undefined) return [];
  const since = startedAt.toISOString().replace(/\.\d+Z$/, 'Z');
  const people =
    wait &&
    `waits for ${wait.kind === 'approval' ? 'an approval' : 'a decision'}${wait.assignees ? ` by ${wait.assignees.join(', ')}` : ''}`;
  const why = people ?? note ?? error?.split('\n')[0];
  return [`${task}: ${state} since ${since}, attempt ${attempt}${why === undefined ? '' : `: ${why}`}`];
}
