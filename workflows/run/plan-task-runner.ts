import type { RunContext } from './run-context.ts';
import type { Call } from './task-call.ts';
import { type DatasetReference, datasetLocation } from '../plan/datasets/dataset.ts';
import { formatDuration } from '../plan/values/duration.ts';
import { identityText } from '../plan/values/exact-json.ts';
import type { Failure } from '../plan/tasks/failure.ts';
import { type Evaluator, ExpressionFailed, type Variables } from '../plan/expressions/evaluator.ts';
import { isNewest } from '../plan/timetable/intervals.ts';
import type { ItemCall, ItemOutcome } from '../plan/tasks/items.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import { putOutput } from '../plan/tasks/outputs.ts';
import type { ExpandPlan, Plan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, TaskResult } from '../plan/runs/run.ts';
import type { TaskInput } from '../plan/tasks/task-input.ts';
import { runApproval } from './approval.ts';
import { runChild } from './child-run.ts';
import type { Decisions } from './decisions.ts';
import { batchSuffix, expandTask, type ItemRunner, type ListPart } from './expanded-task.ts';
import type { Operations } from './operations.ts';
import { type ActivityCall, type RunHost, type RunningActivity, type RunScope, TaskCanceled, TaskFailed } from './run-host.ts';
import type { RunState } from './run-state.ts';
import type { Pasts } from './past.ts';
import { beginningOf, type TaskRunner, type TaskWatch } from './task-list-run.ts';
import { isPlain } from './task-fields.ts';
import { inPool, type PoolWatch } from './task-pool.ts';
import { errorText } from '../plan/values/error-text.ts';

/** Thrown when there is no list to expand over, because a task that makes it was skipped or has failed. */
class ListMissing extends Error {
  override readonly name = 'ListMissing';
  constructor(
    readonly state: 'skipped' | 'upstream_failed',
    tasks: string,
  ) {
    super(`there is no list: ${tasks} ${state === 'skipped' ? 'was skipped' : 'did not succeed'}`);
  }
}

/** Runs the tasks of a plan: by type, with retries by hand where a task holds on failure. */
export class PlanTaskRunner implements TaskRunner {
  /** Why the run has failed, for its handlers; null while it has not. */
  failure: Failure | null = null;
  /** How often each task has been tried in this run, Temporal's retries not counted. */
  private readonly rounds = new Map<string, number>();
  private readonly partials = new Map<string, PartialOutputs>();

  constructor(
    private readonly plan: Plan,
    private readonly context: RunContext,
    private readonly state: RunState,
    private readonly host: RunHost,
    private readonly decisions: Decisions,
    private readonly evaluator: Evaluator | undefined,
    private readonly operations: Operations,
    private readonly pasts: Pasts,
  ) {
    for (const [task, { partial }] of Object.entries(context.kept ?? {})) if (partial) this.partials.set(task, partial);
  }

  skipReason(task: TaskPlan): TaskResult | undefined {
    if (task.latestOnly && !this.isNewest()) return { state: 'skipped', note: 'latest_only: a newer interval is complete' };
    if (task.when === undefined) return undefined;
    try {
      return this.expressions(task).test(task.when, this.variables()) ? undefined : { state: 'skipped', note: `not ${task.when}` };
    } catch (error) {
      return { state: 'failed', error: errorText(error) };
    }
  }

  /** Whether the run is about what is newest now; one that people or events have started always is. */
  private isNewest(): boolean {
    const { isOfTimetable = false, clockZero = 0, interval } = this.context;
    const { schedule } = this.plan;
    return schedule === null || !isOfTimetable || isNewest(schedule, interval, clockZero + this.host.now);
  }

  branch(task: TaskPlan, { output }: TaskResult): string {
    // The task's own output can be read by its switch: it is not among the ended ones yet.
    const withOwn: Record<string, Json | undefined> = { ...this.state.outputs() };
    putOutput(withOwn, task.name, output ?? null);
    const value = this.expressions(task).evaluate(task.switch?.on ?? '', { ...this.variables(), outputs: withOwn });
    return identityText(value);
  }

  run(task: TaskPlan, inside: RunScope, watch: TaskWatch): void {
    if (isPlain(task)) return this.runPlain(task, inside, watch);
    void this.host.within({ inside }, async (scope) => {
      watch.started(scope);
      const result = await this.runRounds(task, scope);
      const note = [this.pasts.noteOf(task.name), result.note].filter((each) => each !== undefined).join(' · ');
      watch.ended(note === '' ? result : { ...result, note });
    });
  }

  /** One activity and nothing else, as most tasks are: no more promises than a workflow written by hand has. */
  private runPlain(task: TaskPlan, inside: RunScope, { started, ended }: TaskWatch): void {
    let activity: RunningActivity;
    try {
      activity = this.host.begin(this.callOf(task, { suffix: '', items: {} }, this.nextRound(task)), inside);
    } catch (error) {
      return ended(this.failureOf(task, error));
    }
    started(activity.scope);
    activity.output.then(
      (output) => ended({ state: 'success', output }),
      (error: unknown) => ended(this.failureOf(task, this.host.explain(task, error))),
    );
  }

  private nextRound({ name }: TaskPlan): number {
    const round = (this.rounds.get(name) ?? 0) + 1;
    this.rounds.set(name, round);
    return round;
  }

  /** Again as long as somebody says so of a task that is held. */
  private async runRounds(task: TaskPlan, scope: RunScope): Promise<TaskResult> {
    for (;;) {
      const result = await this.attempt(task, this.nextRound(task), scope);
      if (result.state !== 'failed' || task.holdOnFailureMs === undefined || scope.canceled) return result;
      const held: TaskResult = {
        ...result,
        state: 'held',
        note: `held for ${formatDuration(task.holdOnFailureMs)}: retry, skip or fail it`,
      };
      this.state.settle(task, held);
      const decision = await this.decisions.held(task, result.error, scope);
      if (decision === 'canceled') return { state: 'canceled' };
      if (decision === undefined) return { ...result, note: 'nobody decided in time' };
      const note = `${decision.action} by ${decision.by}${decision.reason ? `: ${decision.reason}` : ''}`;
      if (decision.action !== 'retry') return { ...result, state: decision.action === 'skip' ? 'skipped' : 'failed', note };
      this.state.settle(task, { state: 'running', note });
    }
  }

  /** Until it has ended, with the retries of Temporal. */
  private async attempt(task: TaskPlan, round: number, scope: RunScope): Promise<TaskResult> {
    try {
      if (this.pasts.dependent([task]).length > 0) {
        await this.pasts.wait(task, scope);
        this.state.settle(task, beginningOf(task));
      }
      if (task.type === 'approval') return await runApproval(task, this.render(task, {}), this.decisions, this.state, scope);
      if (task.expand) {
        const runner: ItemRunner = {
          list: (over, items) => this.listOf(task, over, items),
          runOne: (call) => this.whenAllowed(scope, () => this.perform(task, call, round, scope)),
          runBatch: (calls) => this.whenAllowed(scope, () => this.performBatch(task, calls, round, scope)),
          runPart: (part) => this.whenAllowed(scope, () => this.performPart(task, part, round, scope)),
          progress: (note) => this.state.settle(task, { state: 'running', note }),
          stopped: () => scope.canceled,
        };
        return await expandTask(task, task.expand, runner, this.partials.get(task.name));
      }
      return { state: 'success', output: await this.perform(task, { suffix: '', items: {} }, round, scope) };
    } catch (error) {
      return this.failureOf(task, error);
    }
  }

  /** @throws ListMissing when a task that makes the list gave no output */
  private listOf(task: TaskPlan, over: ExpandPlan['over'], items: JsonObject): Json {
    if (typeof over !== 'string') return over;
    try {
      return this.expressions(task).evaluate(over, { ...this.variables(), ...items });
    } catch (error) {
      const states = (task.expand?.reads ?? []).map((name) => [name, this.state.results.get(name)?.state] as const);
      const skipped = states.filter(([, state]) => state === 'skipped');
      const failed = states.filter(([, state]) => state !== 'skipped' && state !== 'success');
      if (failed.length > 0) throw new ListMissing('upstream_failed', failed.map(([name]) => name).join(', '));
      if (skipped.length > 0) throw new ListMissing('skipped', skipped.map(([name]) => name).join(', '));
      throw error;
    }
  }

  private failureOf(task: TaskPlan, error: unknown): TaskResult {
    if (error instanceof ListMissing) return { state: error.state, note: error.message };
    if (error instanceof TaskCanceled) return { state: 'canceled' };
    if (!(error instanceof TaskFailed)) return { state: 'failed', error: errorText(error) };
    const { origin, partial, expired, item } = error;
    if (expired && task.wait?.softFail) return { state: 'skipped', note: error.message };
    this.state.origins.set(task.name, origin);
    this.state.failedItems.set(task.name, item);
    if (partial) this.partials.set(task.name, partial);
    return { state: 'failed', error: errorText(error), ...(partial && { partial }) };
  }

  /** Items of a list wait while the run is paused, as tasks do. */
  private async whenAllowed<T>(scope: RunScope, work: () => Promise<T>): Promise<T> {
    if (this.operations.isPaused) await this.operations.resumed(scope);
    return work();
  }

  private inPool<T>(task: TaskPlan, id: string, scope: RunScope, work: () => Promise<T>): Promise<T> {
    const settle = (state: TaskResult['state'], note?: string): void =>
      this.state.settle(task, { state, ...(note !== undefined && { note }) });
    // Of a list, the board shows how far it is.
    const shows: PoolWatch = {
      cannotBegin: (note) => settle(task.expand ? 'running' : 'queued', note),
      ...(!task.expand && { waits: (note: string) => settle('queued', note), begins: () => settle('running') }),
    };
    return inPool(this.host, task, id, scope, work, shows);
  }

  private perform(task: TaskPlan, call: Call, round: number, scope: RunScope): Promise<Json> {
    if (task.type === 'empty') return Promise.resolve(null);
    return this.inPool(task, idOf(task, call.suffix, round), scope, () => this.performNow(task, call, round, scope));
  }

  private performNow(task: TaskPlan, call: Call, round: number, scope: RunScope): Promise<Json> {
    return task.type === 'run_pipeline'
      ? this.runPipeline(task, call, round, scope)
      : this.host.execute(this.callOf(task, call, round), scope);
  }

  private callOf(task: TaskPlan, { suffix, items }: Call, round: number): ActivityCall {
    return {
      id: idOf(task, suffix, round),
      task,
      summary: `${task.name}${suffix}: ${task.summary}`,
      input: this.inputOf(task, this.render(task, items), suffix, items),
    };
  }

  private runPipeline(task: TaskPlan, { suffix, items }: Call, round: number, scope: RunScope): Promise<Json> {
    const params = this.render(task, items);
    const dagId = String(params.dag_id);
    const { pipelines = {} } = this.plan;
    const child = pipelines[dagId];
    if (!child) throw new TaskFailed(`The plan of this run does not hold the pipeline '${dagId}'.`);
    return runChild(
      this.host,
      {
        parentRunId: this.context.pipelineRunId,
        taskId: idOf(task, suffix, round),
        task,
        plan: { ...child, pipelines },
        params: (params.params ?? {}) as JsonObject,
        interval: this.context.interval,
        wait: params.wait !== false,
      },
      scope,
    );
  }

  private async performBatch(task: TaskPlan, calls: readonly Call[], round: number, scope: RunScope): Promise<readonly Json[]> {
    const call = this.batchOf(task, calls, round);
    const outputs = await this.inPool(task, call.id, scope, () => this.host.execute(call, scope));
    if (!Array.isArray(outputs)) throw new TaskFailed(`A batch of ${task.type} gave no list of outputs.`);
    return outputs as readonly Json[];
  }

  private batchOf(task: TaskPlan, calls: readonly Call[], round: number): ActivityCall {
    const batch = calls.map(({ items, suffix }) => {
      const { params, output, values } = this.inputOf(task, this.render(task, items), suffix, items);
      return { params, ...(output !== undefined && { output }), ...(values && { values }) };
    });
    const suffix = batchSuffix(calls);
    return {
      id: idOf(task, suffix, round),
      task,
      summary: `${task.name}${suffix}: ${task.summary}`,
      input: { ...this.inputOf(task, {}, '', undefined), batch },
    };
  }

  /** A part of a long list, in a history of its own. */
  private performPart(task: TaskPlan, part: ListPart, round: number, scope: RunScope): Promise<readonly ItemOutcome[]> {
    const { batches, parallel, stopAtFailure } = part;
    // The list is not handed on: where it stands in the plan, each part would carry all of it, and 200 parts fill a history.
    const { expand, ...each } = task;
    const calls = batches.map((batch): ItemCall => {
      const [only] = batch;
      const { id, summary, input } = expand?.batchSize === 1 && only ? this.callOf(task, only, round) : this.batchOf(task, batch, round);
      return { id, summary, input };
    });
    const name = `${calls[0]?.id ?? ''} – ${calls.at(-1)?.id ?? ''}`;
    const id = `${this.context.pipelineRunId}/${idOf(task, `/${part.index}`, round)}`;
    return this.host.runItems({ id, summary: name, input: { task: { ...each, params: {} }, calls, parallel, stopAtFailure } }, scope);
  }

  /** @param items of the call; undefined for what the calls of a batch have in common */
  private inputOf(task: TaskPlan, params: JsonObject, suffix: string, items: JsonObject | undefined): TaskInput {
    const dataset =
      task.inputFrom === undefined ? undefined : (this.state.results.get(task.inputFrom)?.output as DatasetReference | undefined);
    const values =
      task.templates && items && this.expressions(task).namesRead(task.params, task.templates, { ...this.variables(), ...items });
    // Of the plans of earlier releases, only those with a schedule have a zone here.
    const timezone = (task.wait && this.plan.schedule?.timezone) ?? (task.wait || values ? this.plan.dateZone : undefined);
    const base = task.outputBase === undefined ? undefined : `${task.outputBase}${suffix.replace(/\[(\d+)\]/g, '/item_$1')}`;
    return {
      params,
      ...(task.templates && { rendered: true }),
      ...(values && { values }),
      ...(timezone !== undefined && { timezone }),
      ...(task.retryRules && { retryRules: task.retryRules }),
      ...(task.lineage && { planHash: this.plan.hash }),
      interval: this.context.interval,
      ...(dataset && { input: dataset }),
      ...(base !== undefined && { output: datasetLocation(base, this.context.interval.start) }),
      ...(task.ownsEffects && this.context.identity && { run: this.context.identity }),
    };
  }

  private render(task: TaskPlan, items: JsonObject): JsonObject {
    if (!task.templates) return task.params;
    return this.expressions(task).renderParams(task.params, task.templates, { ...this.variables(), ...items });
  }

  /** The value of an expression of the pipeline's own, such as the key of its concurrency. */
  evaluate(expression: string): Json {
    if (!this.evaluator) throw new ExpressionFailed(`The plan says that it has no expressions, and has '${expression}'.`);
    return this.evaluator.evaluate(expression, this.variables());
  }

  private variables(): Variables {
    const failure = this.failure as unknown as JsonObject | null;
    return { ...this.context.values, params: this.context.params, outputs: this.state.outputs(), failure };
  }

  private expressions(task: TaskPlan): Evaluator {
    if (!this.evaluator) throw new ExpressionFailed(`The plan says that it has no expressions, and task '${task.name}' has some.`);
    return this.evaluator;
  }
}

function idOf(task: TaskPlan, suffix: string, round: number): string {
  return `${task.name}${suffix}${round === 1 ? '' : `#${round}`}`;
}
