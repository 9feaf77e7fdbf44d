import { intervalBefore, pastId } from '../plan/runs/past.ts';
import type { Plan, TaskPlan } from '../plan/plan.ts';
import type { DataInterval } from '../plan/timetable/schedule.ts';
import type { RunContext } from './run-context.ts';
import { type RunHost, type RunScope, TaskCanceled } from './run-host.ts';
import type { RunState } from './run-state.ts';

/** Starts tasks that depend on their past only after they succeeded, or were skipped, in the previous interval. */
export class Pasts {
  private readonly before: DataInterval | undefined;
  /** The active waits, by task. */
  private readonly waits = new Map<string, RunScope>();
  /** The tasks that may start, each with a note for people. */
  private readonly passed = new Map<string, string | undefined>();
  private readonly rounds = new Map<string, number>();

  constructor(
    private readonly plan: Plan,
    private readonly context: RunContext,
    private readonly state: RunState,
    private readonly host: RunHost,
  ) {
    // Runs of an event, or with other parameters, are not part of the chain of intervals.
    this.before = context.identity?.variant ? undefined : intervalBefore(plan.schedule, context.interval);
  }

  /** Which of `tasks` must wait for their past. */
  dependent(tasks: readonly TaskPlan[]): TaskPlan[] {
    return this.before ? tasks.filter((task) => task.dependsOnPast && !this.passed.has(task.name)) : [];
  }

  /** Waits for the past of a task, if the task depends on it. @throws TaskCanceled */
  async wait(task: TaskPlan, inside: RunScope): Promise<void> {
    const { before, plan, context, host } = this;
    const { schedule, dagId } = plan;
    if (!before || !schedule || !task.dependsOnPast || this.passed.has(task.name)) return;
    this.state.settle(task, { state: 'queued', note: `waits for its own success in the run of ${before.start} – ${before.end}` });
    const round = (this.rounds.get(task.name) ?? 0) + 1;
    this.rounds.set(task.name, round);
    await host.within({ inside }, async (scope) => {
      this.waits.set(task.name, scope);
      try {
        const question = { dagId, schedule, interval: before, task: task.name, pipelineRunId: context.pipelineRunId };
        const { note } = await host.past({ id: pastId(task.name, round), task, question }, scope);
        this.passed.set(task.name, note);
      } catch (error) {
        const isLetGo = error instanceof TaskCanceled && !inside.canceled && this.passed.has(task.name);
        if (!isLetGo) throw error;
      } finally {
        this.waits.delete(task.name);
      }
    });
  }

  isWaiting(task: string): boolean {
    return this.waits.has(task);
  }

  /** Starts a waiting task anyway. @param note who requested it */
  letGo(task: string, note: string): void {
    this.passed.set(task, note);
    this.waits.get(task)?.cancel();
  }

  /** The note on how a task was allowed to start. */
  noteOf(task: string): string | undefined {
    return this.passed.get(task);
  }
}
