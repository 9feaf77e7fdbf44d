import type { Plan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, TaskResult } from '../plan/runs/run.ts';
import type { NoActivity } from '../plan/tasks/no-activities.ts';
import { isNewest } from '../plan/timetable/intervals.ts';
import { formatDuration } from '../plan/values/duration.ts';
import type { Json } from '../plan/values/json.ts';
import { runApproval } from './approval.ts';
import { runChild } from './child-run.ts';
import type { Decisions } from './decisions.ts';
import { expandTask, type ItemRunner } from './expanded-task.ts';
import type { Operations } from './operations.ts';
import type { Pasts } from './past.ts';
import type { RunContext } from './run-context.ts';
import { type RunHost, type RunningActivity, type RunScope, TaskCanceled, TaskFailed } from './run-host.ts';
import type { RunState } from './run-state.ts';
import type { Call } from './task-call.ts';
import { idOf, TaskCalls } from './task-calls.ts';
import { ListMissing, type TaskExpressions } from './task-expressions.ts';
import { isPlain } from './task-fields.ts';
import { beginningOf, type TaskRunner, type TaskWatch } from './task-list-run.ts';
import { inPool, type PoolWatch } from './task-pool.ts';
import { errorText } from '../plan/values/error-text.ts';

/** The parts of a run that its tasks use. */
export interface RunParts {
  readonly plan: Plan;
  readonly context: RunContext;
  readonly state: RunState;
  readonly host: RunHost;
  readonly decisions: Decisions;
  readonly operations: Operations;
  readonly pasts: Pasts;
  readonly expressions: TaskExpressions;
}

/** Performs one call of a task: the whole task, or one item of its list. @param round from 1; Temporal's retries do not count */
type Perform = (task: TaskPlan, call: Call, round: number, scope: RunScope) => Promise<Json>;

/** Runs the tasks of a plan by type, and repeats tasks on hold when an operator retries them. */
export class PlanTaskRunner implements TaskRunner {
  /** The number of rounds of each task in this run; Temporal's retries do not count. */
  private readonly rounds = new Map<string, number>();
  private readonly partials = new Map<string, PartialOutputs>();
  private readonly calls: TaskCalls;
  /** Handlers for types that are not activities. An approval has no calls. */
  private readonly kinds = new Map<string, Perform>(
    Object.entries({
      empty: () => Promise.resolve(null),
      run_pipeline: (task, call, round, scope) =>
        this.inPool(task, idOf(task, call.suffix, round), scope, () =>
          runChild(this.parts.host, this.calls.pipeline(task, call, round), scope),
        ),
    } satisfies Readonly<Record<Exclude<NoActivity, 'approval'>, Perform>>),
  );

  constructor(private readonly parts: RunParts) {
    const { plan, context, state, expressions } = parts;
    this.calls = new TaskCalls(plan, context, state, expressions);
    for (const [task, { partial }] of Object.entries(context.kept ?? {})) if (partial) this.partials.set(task, partial);
  }

  skipReason(task: TaskPlan): TaskResult | undefined {
    if (task.latestOnly && !this.isNewest()) return { state: 'skipped', note: 'latest_only: a newer interval is complete' };
    if (task.when === undefined) return undefined;
    try {
      return this.parts.expressions.test(task, task.when) ? undefined : { state: 'skipped', note: `not ${task.when}` };
    } catch (error) {
      return { state: 'failed', error: errorText(error) };
    }
  }

  /** Whether the run's interval is the newest. Always true for runs that people or events start. */
  private isNewest(): boolean {
    const { plan, context, host } = this.parts;
    const { isOfTimetable = false, clockZero = 0, interval } = context;
    return plan.schedule === null || !isOfTimetable || isNewest(plan.schedule, interval, clockZero + host.now);
  }

  branch(task: TaskPlan, { output }: TaskResult): string {
    return this.parts.expressions.branch(task, output);
  }

  run(task: TaskPlan, inside: RunScope, watch: TaskWatch): void {
    if (isPlain(task)) return this.runPlain(task, inside, watch);
    void this.parts.host.within({ inside }, async (scope) => {
      watch.started(scope);
      const result = await this.runRounds(task, scope);
      const note = [this.parts.pasts.noteOf(task.name), result.note].filter((each) => each !== undefined).join(' · ');
      watch.ended(note === '' ? result : { ...result, note });
    });
  }

  /** Runs a plain task as a single activity, without more promises than a hand-written workflow has. */
  private runPlain(task: TaskPlan, inside: RunScope, { started, ended }: TaskWatch): void {
    let activity: RunningActivity;
    try {
      activity = this.parts.host.begin(this.calls.activity(task, { suffix: '', items: {} }, this.nextRound(task)), inside);
    } catch (error) {
      return ended(this.failureOf(task, error));
    }
    started(activity.scope);
    activity.output.then(
      (output) => ended({ state: 'success', output }),
      (error: unknown) => ended(this.failureOf(task, this.parts.host.explain(task, error))),
    );
  }

  private nextRound({ name }: TaskPlan): number {
    const round = (this.rounds.get(name) ?? 0) + 1;
    this.rounds.set(name, round);
    return round;
  }

  /** Repeats a task as long as an operator retries it while it is on hold. */
  private async runRounds(task: TaskPlan, scope: RunScope): Promise<TaskResult> {
    for (;;) {
      const result = await this.attempt(task, this.nextRound(task), scope);
      if (result.state !== 'failed' || task.holdOnFailureMs === undefined || scope.canceled) return result;
      const held: TaskResult = {
        ...result,
        state: 'held',
        note: `held for ${formatDuration(task.holdOnFailureMs)}: retry, skip or fail it`,
      };
      this.parts.state.settle(task, held);
      const decision = await this.parts.decisions.held(task, result.error, scope);
      if (decision === 'canceled') return { state: 'canceled' };
      if (decision === undefined) return { ...result, note: 'no decision in time' };
      const note = `${decision.action} by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}`;
      if (decision.action !== 'retry') return { ...result, state: decision.action === 'skip' ? 'skipped' : 'failed', note };
      this.parts.state.settle(task, { state: 'running', note });
    }
  }

  /** Runs one round, including Temporal's retries. */
  private async attempt(task: TaskPlan, round: number, scope: RunScope): Promise<TaskResult> {
    const { host, state, pasts, decisions, expressions } = this.parts;
    try {
      if (pasts.dependent([task]).length > 0) {
        await pasts.wait(task, scope);
        state.settle(task, beginningOf(task));
      }
      if (task.type === 'approval') return await runApproval(task, expressions.render(task, {}), decisions, state, scope);
      if (task.expand) {
        const runner: ItemRunner = {
          list: (over, items) => expressions.list(task, over, items),
          runOne: (call) => this.whenAllowed(scope, () => this.perform(task, call, round, scope)),
          runBatch: (calls) => this.whenAllowed(scope, () => this.performBatch(task, calls, round, scope)),
          runPart: (part) => this.whenAllowed(scope, () => host.runItems(this.calls.part(task, part, round), scope)),
          progress: (note) => state.settle(task, { state: 'running', note }),
          stopped: () => scope.canceled,
        };
        return await expandTask(task, task.expand, runner, this.partials.get(task.name));
      }
      return { state: 'success', output: await this.perform(task, { suffix: '', items: {} }, round, scope) };
    } catch (error) {
      return this.failureOf(task, error);
    }
  }

  private failureOf(task: TaskPlan, error: unknown): TaskResult {
    if (error instanceof ListMissing) return { state: error.state, note: error.message };
    if (error instanceof TaskCanceled) return { state: 'canceled' };
    if (!(error instanceof TaskFailed)) return { state: 'failed', error: errorText(error) };
    const { origin, partial, expired, item } = error;
    if (expired && task.wait?.softFail) return { state: 'skipped', note: error.message };
    this.parts.state.origins.set(task.name, origin);
    this.parts.state.failedItems.set(task.name, item);
    if (partial) this.partials.set(task.name, partial);
    return { state: 'failed', error: errorText(error), ...(partial && { partial }) };
  }

  /** While the run is paused, items of a list wait, as tasks do. */
  private async whenAllowed<T>(scope: RunScope, work: () => Promise<T>): Promise<T> {
    const { operations } = this.parts;
    if (operations.isPaused) await operations.resumed(scope);
    return work();
  }

  private inPool<T>(task: TaskPlan, id: string, scope: RunScope, work: () => Promise<T>): Promise<T> {
    const settle = (state: TaskResult['state'], note?: string): void =>
      this.parts.state.settle(task, { state, ...(note !== undefined && { note }) });
    // For a list, the task table shows its progress.
    const shows: PoolWatch = {
      cannotBegin: (note) => settle(task.expand ? 'running' : 'queued', note),
      ...(!task.expand && { waits: (note: string) => settle('queued', note), begins: () => settle('running') }),
    };
    return inPool(this.parts.host, task, id, scope, work, shows);
  }

  private perform(task: TaskPlan, call: Call, round: number, scope: RunScope): Promise<Json> {
    const kind = this.kinds.get(task.type);
    if (kind) return kind(task, call, round, scope);
    const id = idOf(task, call.suffix, round);
    return this.inPool(task, id, scope, () => this.parts.host.execute(this.calls.activity(task, call, round), scope));
  }

  private async performBatch(task: TaskPlan, calls: readonly Call[], round: number, scope: RunScope): Promise<readonly Json[]> {
    const call = this.calls.batch(task, calls, round);
    const outputs = await this.inPool(task, call.id, scope, () => this.parts.host.execute(call, scope));
    if (!Array.isArray(outputs)) throw new TaskFailed(`A batch of ${task.type} gave no list of outputs.`);
    return outputs as readonly Json[];
  }
}
