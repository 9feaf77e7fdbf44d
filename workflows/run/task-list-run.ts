import type { TaskPlan } from '../plan/plan.ts';
import type { TaskResult } from '../plan/run.ts';
import { isFinal } from '../plan/task-state.ts';
import { applyTriggerRule } from '../plan/trigger-rule.ts';
import { branchesNotTaken } from './branches.ts';
import type { RunScope } from './run-host.ts';
import type { RunState } from './run-state.ts';

/** Carries out tasks, and the conditions of tasks. */
export interface TaskRunner {
  /** @returns why the task is to be skipped, or undefined when it is to run */
  skipReason(task: TaskPlan): TaskResult | undefined;
  /** Runs the task; never rejects. */
  run(task: TaskPlan, scope: RunScope): Promise<TaskResult>;
  /** The value of a task's switch. */
  branch(task: TaskPlan, result: TaskResult): string;
}

/** Runs one list of tasks: starts each when its trigger rule allows, until all have ended. */
export class TaskListRun {
  private readonly followers = new Map<string, TaskPlan[]>();
  /** Tasks of cases that were not taken, with why. */
  private readonly branchedOff = new Map<string, string>();
  private left: number;
  private done: () => void = () => undefined;

  constructor(
    private readonly tasks: readonly TaskPlan[],
    private readonly state: RunState,
    private readonly runner: TaskRunner,
    private readonly scope: RunScope,
  ) {
    this.left = tasks.length;
    for (const task of tasks) {
      for (const upstream of task.dependsOn) {
        const followers = this.followers.get(upstream);
        if (followers) followers.push(task);
        else this.followers.set(upstream, [task]);
      }
    }
  }

  /** Runs to the end of the last task. */
  async complete(): Promise<void> {
    const ended = new Promise<void>((resolve) => (this.done = resolve));
    this.consider(this.tasks);
    await ended;
  }

  /** Starts, skips or leaves waiting each of `tasks`; a task that ends unstarted makes its followers candidates in turn. */
  private consider(tasks: readonly TaskPlan[]): void {
    const candidates = [...tasks];
    for (const task of candidates) {
      if (this.state.results.has(task.name)) continue;
      const result = this.beginning(task);
      if (!result) continue;
      if (result.state === 'running') {
        void this.start(task);
        continue;
      }
      this.end(task, result);
      candidates.push(...(this.followers.get(task.name) ?? []));
    }
  }

  private end(task: TaskPlan, result: TaskResult): void {
    this.state.settle(task, result);
    if (--this.left === 0) this.done();
  }

  /** How a task begins: running, or ended unstarted; undefined while it waits. */
  private beginning(task: TaskPlan): TaskResult | undefined {
    const branch = this.branchedOff.get(task.name);
    if (branch !== undefined) return { state: 'skipped', note: branch };
    const upstream = task.dependsOn.map((name) => this.state.results.get(name)?.state).filter((state) => state !== undefined);
    const verdict = applyTriggerRule(task.triggerRule, upstream.filter(isFinal), task.dependsOn.length);
    if (verdict === 'wait') return undefined;
    if (this.scope.canceled) return { state: 'canceled' };
    if (verdict !== 'run') return { state: verdict };
    return this.runner.skipReason(task) ?? { state: 'running' };
  }

  private async start(task: TaskPlan): Promise<void> {
    this.state.settle(task, { state: 'running' });
    let result = await this.runner.run(task, this.scope);
    if (task.switch && result.state === 'success') result = this.takeBranch(task, result);
    this.end(task, result);
    this.consider(this.followers.get(task.name) ?? []);
  }

  private takeBranch(task: TaskPlan, result: TaskResult): TaskResult {
    try {
      const value = this.runner.branch(task, result);
      const skipped = branchesNotTaken(task, value, this.tasks);
      for (const name of skipped) this.branchedOff.set(name, `${task.name} took ${value}`);
      return { ...result, note: `took ${value}` };
    } catch (error) {
      return { state: 'failed', error: error instanceof Error ? error.message : String(error) };
    }
  }
}
