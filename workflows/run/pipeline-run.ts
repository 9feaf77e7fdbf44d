import { formatDuration } from '../plan/values/duration.ts';
import type { Evaluator } from '../plan/expressions/evaluator.ts';
import { failureText } from '../plan/tasks/failure.ts';
import { allTasks, type Plan, type TaskPlan } from '../plan/plan.ts';
import type { RunResult } from '../plan/runs/run.ts';
import { taskTableText } from '../plan/tasks/task-table-text.ts';
import { isFinal } from '../plan/tasks/task-state.ts';
import type { TaskStatus, TaskTable, TaskTableRequest } from '../plan/tasks/task-table.ts';
import type { TaskTimes } from '../plan/tasks/task-times.ts';
import { Decisions } from './decisions.ts';
import { Operations } from './operations.ts';
import { Pasts } from './past.ts';
import { PlanTaskRunner } from './plan-task-runner.ts';
import { isPlain } from './task-fields.ts';
import type { RunContext } from './run-context.ts';
import { type RunHost, type RunScope, type SlotCall, TaskCanceled } from './run-host.ts';
import { runLimits } from './run-limits.ts';
import { failsTheRun, RunState } from './run-state.ts';
import { TaskExpressions } from './task-expressions.ts';
import { TaskListRun } from './task-list-run.ts';

/** How a run ended; `reason` and `origin` say why it failed. */
export interface RunEnd {
  readonly result: RunResult;
  readonly failure?: { readonly type: 'PipelineFailed' | 'DagrunTimeout'; readonly message: string; readonly origin: unknown };
}

/**
 * One run of a plan, from its first task to `finally`. Independent of Temporal; only the host uses Temporal.
 * A plain task costs what an activity in a hand-written workflow costs: retries and timeouts are Temporal's own.
 */
export class PipelineRun {
  readonly decisions: Decisions;
  readonly operations: Operations;
  private readonly state: RunState;
  private readonly expressions: TaskExpressions;
  private readonly runner: PlanTaskRunner;
  private readonly pasts: Pasts;

  constructor(
    private readonly plan: Plan,
    private readonly context: RunContext,
    private readonly host: RunHost,
    evaluator: Evaluator | undefined,
  ) {
    this.state = new RunState(host);
    this.expressions = new TaskExpressions(context, this.state, evaluator);
    this.decisions = new Decisions(host);
    this.pasts = new Pasts(plan, context, this.state, host);
    this.operations = new Operations(host, this.state, this.decisions, this.pasts);
    const { state, decisions, operations, pasts, expressions } = this;
    this.runner = new PlanTaskRunner({ plan, context, state, host, decisions, operations, pasts, expressions });
    for (const [name, kept] of Object.entries(context.kept ?? {}))
      if (isFinal(kept.state) && !kept.partial) this.state.results.set(name, kept);
  }

  /** Runs to the end. A failed task does not reject the promise. */
  async complete(): Promise<RunEnd> {
    const limits = runLimits(this.plan, this.context.isBackfill ?? false, (expression) => this.expressions.evaluate(expression));
    return limits.length === 0 ? this.completeNow() : this.completeInTurn(limits);
  }

  /** Waits for the run's turn, and frees its place when the run has ended. */
  private async completeInTurn(limits: readonly SlotCall[]): Promise<RunEnd> {
    const { plan, host } = this;
    const releases: (() => Promise<void>)[] = [];
    this.operations.waitsForTurn(true);
    try {
      await this.waitForPasts();
      for (const limit of limits) {
        host.show(() => `queued: waits for its turn (${limit.summary}); see the workflow ${limit.workflowId}`);
        const release = await host.within({}, (scope) => host.acquire(limit, scope));
        if (!release)
          return this.notStarted(plan.concurrency?.onOverlap === 'skip' ? 'success' : 'canceled', `limit reached: ${limit.summary}`);
        releases.push(release);
      }
      this.operations.waitsForTurn(false);
      return await this.completeNow();
    } catch (error) {
      if (error instanceof TaskCanceled) return this.notStarted('canceled', 'cancelled before its turn');
      throw error;
    } finally {
      for (const release of releases.reverse()) await release();
    }
  }

  /**
   * Waits for the past before the run takes a slot. Otherwise the run it waits for, such as a rerun of the previous interval, could not get
   * a slot.
   */
  private async waitForPasts(): Promise<void> {
    const { state, pasts, host } = this;
    const tasks = pasts.dependent(this.plan.tasks.filter(({ name }) => !state.results.has(name)));
    if (tasks.length === 0) return;
    this.showTaskTable();
    try {
      await host.within({}, (scope) => Promise.all(tasks.map((task) => pasts.wait(task, scope))));
    } finally {
      for (const { name } of tasks) state.forget(name);
    }
  }

  /** The result of a run that did nothing. */
  private notStarted(state: 'success' | 'canceled', note: string): RunEnd {
    this.showTaskTable();
    for (const task of allTasks(this.plan)) this.state.settle(task, { state: state === 'success' ? 'skipped' : 'canceled', note });
    return { result: this.resultOf(state) };
  }

  /** The times of tasks that are not activities: the run's history does not record them otherwise. */
  private timesOfOthers(): RunResult['times'] {
    const times = allTasks(this.plan).flatMap((task): [string, TaskTimes][] => {
      const own = this.state.timesOf(task.name);
      return isPlain(task) || own.startedAt === undefined ? [] : [[task.name, own]];
    });
    return times.length === 0 ? undefined : Object.fromEntries(times);
  }

  private resultOf(state: RunResult['state']): RunResult {
    const { log } = this.operations;
    const tasks = Object.fromEntries(this.state.results);
    const times = this.timesOfOthers();
    return { state, interval: this.context.interval, tasks, ...(times && { times }), ...(log.length > 0 && { operations: log }) };
  }

  /** The current task table. */
  table({ outputs }: TaskTableRequest): TaskTable {
    const tasks = [...this.state.results].map(([name, { output, partial, ...result }]): [string, TaskStatus] => [
      name,
      {
        ...result,
        ...this.state.timesOf(name),
        ...(outputs && output !== undefined && { output }),
        ...(outputs && partial && { partial }),
      },
    ]);
    const { params } = this.context;
    return { params, tasks: Object.fromEntries(tasks), waits: this.decisions.waits, operations: this.operations.log };
  }

  private async completeNow(): Promise<RunEnd> {
    const { plan, host } = this;
    this.showTaskTable();
    const timedOut = await host.within(plan.runTimeoutMs === undefined ? {} : { timeoutMs: plan.runTimeoutMs }, async (scope) => {
      await this.runList(plan.tasks, scope);
      return scope.canceled && !host.canceled;
    });
    let failure = timedOut ? this.timeout() : this.failureOf(plan.tasks);
    if (!host.canceled || this.state.firstFailed(plan.tasks)) await this.notifyHandlers(failure, plan.tasks);
    if (!host.canceled) {
      const [then = [], not = []] = failure ? [plan.onFailure, plan.onSuccess] : [plan.onSuccess, plan.onFailure];
      await this.after(then, not);
      if (!failure) {
        failure = this.failureOf(then);
        await this.notifyHandlers(failure, then);
      }
    }
    if (plan.finally) {
      await host.within({ shielded: true }, (scope) => this.runList(plan.finally ?? [], scope));
      failure ??= this.failureOf(plan.finally);
    }
    const state = host.canceled ? 'canceled' : failure ? 'failed' : 'success';
    return { result: this.resultOf(state), ...(failure && state === 'failed' && { failure }) };
  }

  /** Runs the handlers that match the outcome, and skips the others. */
  private async after(then: readonly TaskPlan[], not: readonly TaskPlan[]): Promise<void> {
    for (const task of not) this.state.settle(task, { state: 'skipped' });
    if (then.length > 0) await this.host.within({}, (scope) => this.runList(then, scope));
  }

  private runList(tasks: readonly TaskPlan[], scope: RunScope): Promise<void> {
    return this.operations.during(new TaskListRun(tasks, this.state, this.runner, scope, this.operations));
  }

  /** Gives the handlers the reason for the failure, if the run has failed. */
  private async notifyHandlers(failure: RunEnd['failure'], tasks: readonly TaskPlan[]): Promise<void> {
    if (!failure) return;
    const { state, plan } = this;
    const first = state.firstFailed(tasks)?.name;
    const isTimeout = failure.type === 'DagrunTimeout';
    const name = (isTimeout ? this.cutOff()[0] : first) ?? '';
    const task = `${name}${state.failedItems.get(name) ?? ''}`;
    const error = failureText((isTimeout ? undefined : state.results.get(name)?.error) ?? failure.message);
    const facts = plan.failureFacts ? await this.host.failureFacts(task, plan.failureFacts) : { attempts: 1, run_url: '' };
    this.expressions.failure = { task, error, ...facts };
  }

  /** The tasks that were active when the run timed out. */
  private cutOff(): readonly string[] {
    const { results } = this.state;
    return this.plan.tasks
      .map(({ name }) => name)
      .filter((name) => results.get(name)?.state === 'canceled' && this.state.timesOf(name).startedAt !== undefined);
  }

  private timeout(): RunEnd['failure'] {
    const cut = this.cutOff();
    const where = cut.length === 0 ? '' : `: it was at ${cut.slice(0, 3).join(', ')}${cut.length > 3 ? ', …' : ''}`;
    const message = `The run took longer than its dagrun_timeout of ${formatDuration(this.plan.runTimeoutMs ?? 0)}${where}`;
    return { type: 'DagrunTimeout', message, origin: undefined };
  }

  private failureOf(tasks: readonly TaskPlan[]): RunEnd['failure'] {
    const { results, origins } = this.state;
    const failed = tasks.filter((task) => failsTheRun(task, results.get(task.name)));
    if (failed.length === 0) return undefined;
    const first = this.state.firstFailed(tasks) ?? failed.find((task) => results.get(task.name)?.state !== 'upstream_failed') ?? failed[0];
    const succeeded = [...results.values()].filter(({ state }) => state === 'success').length;
    const { state, error: reason } = (first && results.get(first.name)) ?? {};
    return {
      type: 'PipelineFailed',
      message: failureLine(
        `Task ${first?.name} ${state === 'canceled' ? 'was cancelled' : 'failed'}`,
        reason,
        `${succeeded} of ${allTasks(this.plan).length} tasks succeeded`,
      ),
      origin: [...origins.values()].find((origin) => origin instanceof Error),
    };
  }

  private showTaskTable(): void {
    this.host.show(() => taskTableText(this.plan, this.context.interval, this.state.results, this.decisions.waits, this.operations.log));
  }
}

/** Maximum length of a reason in the failure of the run. The task has all of it. */
const MAX_REASON = 500;

/** One line without double quotes, which the Temporal UI would escape with backslashes because it shows JSON. */
function failureLine(what: string, reason: string | undefined, progress: string): string {
  const [line = ''] = reason?.trim().split('\n') ?? [];
  const why = (line.length > MAX_REASON ? `${line.slice(0, MAX_REASON)}…` : line).replaceAll('"', "'");
  return `${what}${why === '' ? '' : `: ${why}`} (${progress})`;
}
