import type { Json, JsonObject } from '../plan/values/json.ts';
import { putOutput } from '../plan/tasks/outputs.ts';
import type { TaskPlan } from '../plan/plan.ts';
import type { TaskResult } from '../plan/runs/run.ts';
import { isFinal } from '../plan/tasks/task-state.ts';
import type { TaskTimes } from '../plan/tasks/task-times.ts';

/** The state of each task of a run. */
export class RunState {
  readonly results = new Map<string, TaskResult>();
  /** The original errors of failed tasks, by task. */
  readonly origins = new Map<string, unknown>();
  /** For failed lists: the item that failed first, by task. */
  readonly failedItems = new Map<string, string>();
  /** The failed tasks, in order of failure. */
  private readonly failed = new Set<string>();
  private readonly times = new Map<string, TaskTimes>();
  private byTask: JsonObject | undefined;

  /** @param clock the run's time, in milliseconds since 1970 */
  constructor(private readonly clock: { readonly now: number }) {}

  /** Records the state of a task. */
  settle(task: TaskPlan, result: TaskResult): void {
    this.results.set(task.name, result);
    if (result.state === 'failed') this.failed.add(task.name);
    else this.failed.delete(task.name);
    const { now } = this.clock;
    const { startedAt } = this.times.get(task.name) ?? {};
    if (isFinal(result.state)) {
      this.byTask = undefined;
      this.times.set(task.name, startedAt === undefined ? { endedAt: now } : { startedAt, endedAt: now });
    } else if (result.state === 'queued') this.times.delete(task.name);
    else this.times.set(task.name, { startedAt: startedAt ?? now });
  }

  /** When a task started and ended; a time is absent until then. */
  timesOf(name: string): TaskTimes {
    return this.times.get(name) ?? {};
  }

  /** The first of `tasks` whose failure fails the run. */
  firstFailed(tasks: readonly TaskPlan[]): TaskPlan | undefined {
    const counted = new Map(tasks.filter(({ allowFailure }) => !allowFailure).map((task) => [task.name, task]));
    for (const name of this.failed) if (counted.has(name)) return counted.get(name);
    return undefined;
  }

  /** Removes the result of a task that is to run again. */
  forget(name: string): void {
    this.results.delete(name);
    this.failed.delete(name);
    this.times.delete(name);
    this.origins.delete(name);
    this.byTask = undefined;
  }

  /** The outputs so far, as expressions read them: `outputs.task`, `outputs.group.task`. The same object until an output changes. */
  outputs(): JsonObject {
    if (this.byTask) return this.byTask;
    const outputs: Record<string, Json> = {};
    for (const [name, { output }] of this.results) {
      if (output !== undefined) putOutput(outputs, name, output);
    }
    return (this.byTask = outputs);
  }
}

/** Whether the state of a task fails a run that was not cancelled. */
export function failsTheRun(task: TaskPlan, result: TaskResult | undefined): boolean {
  return !task.allowFailure && result !== undefined && ['failed', 'upstream_failed', 'canceled'].includes(result.state);
}
