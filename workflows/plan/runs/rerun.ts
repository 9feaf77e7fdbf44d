import type { Json } from '../values/json.ts';
import { allTasks, type Plan, type TaskPlan } from '../plan.ts';
import type { PartialOutputs, TaskResult } from './run.ts';
import type { TaskState } from '../tasks/task-state.ts';

/** What a rerun does with a task, and why. */
export interface RerunChoice {
  readonly task: string;
  readonly runs: boolean;
  readonly why: string;
}

const FOLLOWS = 'follows';
const UNDONE = 'was undone';
/** How the note of a task begins that an earlier run of the chain has carried out. */
const KEPT = 'kept';

/** A task that ended so, or did not end, may have had its effect. */
const STARTED_STATES: ReadonlySet<TaskState | undefined> = new Set([
  'running',
  'up_for_retry',
  'held',
  'success',
  'failed',
  'canceled',
] as const);

/**
 * What a rerun of `plan` does, given how the tasks of the earlier run ended: what did not succeed runs again, what an operator names, and what
 * follows one of them; with them, what a task after the end of the run has undone (`undoes`). What follows the end of a run (`on_failure`, `finally`, …) always does.
 * @param from a task that is to run again although it succeeded
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
  // Where the run is repeated at all, what a task after its end has taken back is not there any more.
  if (why.size > 0) {
    for (const { name, undoes } of allTasks(plan)) {
      const hasStarted = STARTED_STATES.has(earlier[name]?.state);
      if (undoes !== undefined && hasStarted && earlier[undoes]?.state === 'success') again(undoes, `${UNDONE} by ${name}`);
    }
  }
  // A task stands after all it depends on: from the end on, one that runs again may be what an earlier one has to be asked for.
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

/** Whether something that follows a task runs again. */
function isBefore(task: string, why: ReadonlyMap<string, string>, followers: ReadonlyMap<string, readonly TaskPlan[]>): boolean {
  return (followers.get(task) ?? []).some(({ name }) => why.has(name) || isBefore(name, why, followers));
}

/** What the rerun takes over: the ends of the tasks that do not run again, and what a list of items had given. */
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
    // Items are kept where the task itself is the reason; not where something before it runs again, all of it was undone, or somebody wants all of it.
    else if (partial && task !== from && !why.startsWith(FOLLOWS) && !why.startsWith(UNDONE)) kept[task] = { state: 'failed', partial };
  }
  return kept;
}

/** What the items of a list gave that did not fail. */
function partialOf(task: TaskPlan | undefined, { partial, missing, output }: TaskResult): PartialOutputs | undefined {
  if (partial || !missing || !Array.isArray(output)) return partial;
  return { outputs: (task?.expand?.expand ? output.flat() : output) as Json[], missing };
}
