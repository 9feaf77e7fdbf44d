import type { Json } from '../values/json.ts';
import { allTasks, type Plan, type TaskPlan } from '../plan.ts';
import type { PartialOutputs, TaskResult } from './run.ts';
import type { TaskState } from '../tasks/task-state.ts';

/** Whether a rerun runs a task, and why. */
export interface RerunChoice {
  readonly task: string;
  readonly runs: boolean;
  readonly why: string;
}

const FOLLOWS = 'follows';
const UNDONE = 'was undone';
/** Prefix of the note of a task that an earlier run of the chain executed. */
const KEPT = 'kept';

/** A task in one of these states, or without an end, may have had its effect. */
const STARTED_STATES: ReadonlySet<TaskState | undefined> = new Set([
  'running',
  'up_for_retry',
  'held',
  'success',
  'failed',
  'canceled',
] as const);

/**
 * Decides what a rerun of `plan` runs, given the results of the earlier run: tasks that did not succeed, tasks that an operator names,
 * tasks whose effect was undone after the end of the run (`undoes`), and all their followers. Handlers (`on_failure`, `finally`, …) always
 * run.
 * @param from a task to run again although it succeeded
 * @returns a choice for each task, in the plan's order
 */
export function chooseReruns(plan: Plan, earlier: Readonly<Record<string, TaskResult>>, from?: string): RerunChoice[] {
  const why = new Map<string, string>();
  const followers = new Map<string, TaskPlan[]>();
  for (const task of plan.tasks) for (const name of task.dependsOn) followers.set(name, [...(followers.get(name) ?? []), task]);
  const again = (task: string, reason: string): void => {
    if (why.has(task)) return;
    why.set(task, reason);
    for (const follower of followers.get(task) ?? []) again(follower.name, `${FOLLOWS} ${task}`);
  };
  if (from !== undefined) again(from, 'asked for');
  for (const { name } of plan.tasks) {
    const result = earlier[name];
    if (!result) again(name, 'is new');
    else if (result.state === 'failed' && result.partial)
      again(name, `failed: ${result.partial.missing.length} of ${result.partial.outputs.length} items`);
    else if (result.missing && result.state === 'success') again(name, `${result.missing.length} of its items failed`);
    else if (result.state !== 'success' && result.state !== 'skipped') again(name, result.state);
  }
  // If the run repeats anything, the effects that its handlers undid must be repeated too.
  if (why.size > 0) {
    for (const { name, undoes } of allTasks(plan)) {
      const hasStarted = STARTED_STATES.has(earlier[name]?.state);
      if (undoes !== undefined && hasStarted && earlier[undoes]?.state === 'success') again(undoes, `${UNDONE} by ${name}`);
    }
  }
  // Tasks are listed after their dependencies. Going backwards, every follower is decided before the task itself.
  for (const { name, outputExpires } of [...plan.tasks].reverse())
    if (outputExpires && earlier[name]?.state === 'success' && isBefore(name, why, followers)) again(name, 'its output may be out of date');
  const listed = new Set(plan.tasks.map(({ name }) => name));
  return allTasks(plan).map(({ name }) => {
    if (!listed.has(name)) return { task: name, runs: true, why: 'follows the end of the run' };
    const reason = why.get(name);
    return reason === undefined
      ? { task: name, runs: false, why: `${KEPT}: ${earlier[name]?.state}` }
      : { task: name, runs: true, why: reason };
  });
}

/** Whether any follower of a task runs again. */
function isBefore(task: string, why: ReadonlyMap<string, string>, followers: ReadonlyMap<string, readonly TaskPlan[]>): boolean {
  return (followers.get(task) ?? []).some(({ name }) => why.has(name) || isBefore(name, why, followers));
}

/** What the rerun takes over: results of tasks that do not run again, and outputs of a list's successful items. */
export function keptOf(
  plan: Plan,
  choices: readonly RerunChoice[],
  earlier: Readonly<Record<string, TaskResult>>,
  from?: string,
): Record<string, TaskResult> {
  const kept: Record<string, TaskResult> = {};
  const tasks = new Map(plan.tasks.map((task) => [task.name, task]));
  for (const { task, runs, why } of choices) {
    const result = earlier[task];
    if (!result) continue;
    const partial = partialOf(tasks.get(task), result);
    if (!runs)
      kept[task] = { ...result, note: result.note?.startsWith(KEPT) ? result.note : [KEPT, result.note].filter(Boolean).join(' · ') };
    // Keep a list's items unless an upstream task runs again, the task's effect was undone, or an operator named the task.
    else if (partial && task !== from && !why.startsWith(FOLLOWS) && !why.startsWith(UNDONE)) kept[task] = { state: 'failed', partial };
  }
  return kept;
}

/** The outputs of a list's successful items. */
function partialOf(task: TaskPlan | undefined, { partial, missing, output }: TaskResult): PartialOutputs | undefined {
  if (partial || !missing || !Array.isArray(output)) return partial;
  return { outputs: (task?.expand?.expand ? output.flat() : output) as Json[], missing };
}
