import type { TaskPlan } from '../plan/plan.ts';
import type { TaskResult } from '../plan/runs/run.ts';
import { isFinal } from '../plan/tasks/task-state.ts';
import { applyTriggerRule } from '../plan/tasks/trigger-rule.ts';
import { branchesNotTaken } from './branches.ts';
import type { RunScope } from './run-host.ts';
import type { RunState } from './run-state.ts';
import { errorText } from '../plan/values/error-text.ts';

/** Runs tasks and evaluates their conditions. */
export interface TaskRunner {
  /** @returns why the task is skipped, or undefined when it must run */
  skipReason(task: TaskPlan): TaskResult | undefined;
  /** Runs the task in its own scope, and reports its start and its end. */
  run(task: TaskPlan, scope: RunScope, watch: TaskWatch): void;
  /** The value of a task's switch. */
  branch(task: TaskPlan, result: TaskResult): string;
}

/** Receives the events of a task. Uses callbacks because a promise in a workflow costs as much as a hundred of them. */
export interface TaskWatch {
  started(own: RunScope): void;
  ended(result: TaskResult): void;
}

/** Whether tasks may start. */
export interface Gate {
  readonly isPaused: boolean;
  /** Waits until tasks may start. @throws TaskCanceled when the scope is cancelled first */
  resumed(scope: RunScope): Promise<void>;
}

/** The state of a task that has just started. */
export function beginningOf({ wait, summary }: TaskPlan): TaskResult {
  return wait ? { state: 'deferred', note: `waits for ${summary}` } : { state: 'running' };
}

/** Runs one list of tasks: starts each task when its trigger rule allows it, until all have ended. */
export class TaskListRun {
  readonly names: readonly string[];
  private readonly followers = new Map<string, TaskPlan[]>();
  /** Tasks of cases that were not chosen, with the reason. */
  private readonly branchedOff = new Map<string, string>();
  /** The scopes of the active tasks. */
  private readonly scopes = new Map<string, RunScope>();
  /** Results set by operators for tasks that have not ended. */
  private readonly settled = new Map<string, TaskResult>();
  private left: number;
  private waitsForGate = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly tasks: readonly TaskPlan[],
    private readonly state: RunState,
    private readonly runner: TaskRunner,
    private readonly scope: RunScope,
    private readonly gate: Gate,
  ) {
    this.names = tasks.map(({ name }) => name);
    this.left = tasks.filter(({ name }) => !state.results.has(name)).length;
    for (const task of tasks) {
      for (const upstream of task.dependsOn) {
        const followers = this.followers.get(upstream);
        if (followers) followers.push(task);
        else this.followers.set(upstream, [task]);
      }
    }
  }

  /** Runs until the last task has ended. */
  async complete(): Promise<void> {
    while (this.left > 0) {
      // Tasks start here or where another task ends, never in an operator's request, so that they belong to this scope.
      const woken = new Promise<void>((resolve) => (this.wake = resolve));
      this.consider(this.tasks);
      await woken;
    }
  }

  /** Sets the result of a task that has not succeeded, for an operator. An active task is cancelled first, and ends when it has stopped. */
  settle(name: string, result: TaskResult): void {
    const running = this.scopes.get(name);
    if (this.state.results.has(name) && !running) this.reopen(name);
    this.settled.set(name, result);
    if (running) running.cancel();
    else this.wake();
  }

  /** Runs an ended task again, with the tasks that ended because of it. */
  again(name: string): void {
    this.settled.delete(name);
    this.branchedOff.delete(name);
    this.reopen(name);
    this.wake();
  }

  /** Removes the results of a task and of all its followers that never ran. */
  private reopen(name: string): void {
    const reopened = [name];
    for (const each of reopened) {
      this.state.forget(each);
      this.left++;
      for (const follower of this.followers.get(each) ?? []) {
        const state = this.state.results.get(follower.name)?.state;
        const neverRan = state === 'upstream_failed' || state === 'skipped' || (state === 'canceled' && !this.scope.canceled);
        if (neverRan && !this.branchedOff.has(follower.name) && !this.settled.has(follower.name) && !reopened.includes(follower.name))
          reopened.push(follower.name);
      }
    }
  }

  /** Starts, skips or leaves waiting each of `tasks`; a task that ends unstarted makes its followers candidates in turn. */
  private consider(tasks: readonly TaskPlan[]): void {
    const candidates = [...tasks];
    for (const task of candidates) {
      if (this.state.results.has(task.name)) continue;
      const result = this.settled.get(task.name) ?? this.beginning(task);
      if (!result) continue;
      if (result.state === 'running') {
        this.start(task);
        continue;
      }
      this.end(task, result);
      candidates.push(...(this.followers.get(task.name) ?? []));
    }
  }

  private end(task: TaskPlan, result: TaskResult): void {
    this.state.settle(task, result);
    if (--this.left === 0) this.wake();
  }

  /** The initial state of a task: running, or ended without a start; undefined while it waits. */
  private beginning(task: TaskPlan): TaskResult | undefined {
    const branch = this.branchedOff.get(task.name);
    if (branch !== undefined) return { state: 'skipped', note: branch };
    const upstream = task.dependsOn.map((name) => this.state.results.get(name)?.state).filter((state) => state !== undefined);
    const result = applyTriggerRule(task.triggerRule, upstream.filter(isFinal), task.dependsOn.length);
    if (result === 'wait') return undefined;
    if (this.scope.canceled) return { state: 'canceled' };
    if (result !== 'run') return { state: result };
    if (this.gate.isPaused) {
      void this.waitForGate();
      return undefined;
    }
    return this.runner.skipReason(task) ?? { state: 'running' };
  }

  private async waitForGate(): Promise<void> {
    if (this.waitsForGate) return;
    this.waitsForGate = true;
    // If the list is cancelled while it waits, still process its tasks so that they end as cancelled.
    await this.gate.resumed(this.scope).catch(() => undefined);
    this.waitsForGate = false;
    this.wake();
  }

  private start(task: TaskPlan): void {
    this.state.settle(task, beginningOf(task));
    this.runner.run(task, this.scope, {
      started: (scope) => void this.scopes.set(task.name, scope),
      ended: (result) => this.conclude(task, result),
    });
  }

  private conclude(task: TaskPlan, result: TaskResult): void {
    this.scopes.delete(task.name);
    const own = task.switch && result.state === 'success' ? this.takeBranch(task, result) : result;
    this.end(task, this.settled.get(task.name) ?? own);
    this.consider(this.followers.get(task.name) ?? []);
  }

  private takeBranch(task: TaskPlan, result: TaskResult): TaskResult {
    try {
      const value = this.runner.branch(task, result);
      const skipped = branchesNotTaken(task, value, this.tasks);
      for (const name of skipped) this.branchedOff.set(name, `${task.name} took ${value}`);
      return { ...result, note: `took ${value}` };
    } catch (error) {
      return { state: 'failed', error: errorText(error) };
    }
  }
}
