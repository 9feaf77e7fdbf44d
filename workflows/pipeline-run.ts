import { ActivityFailure, ApplicationFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import {
  ActivityCancellationType,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  scheduleActivity,
  setCurrentDetails,
} from '@temporalio/workflow';
import { type DatasetReference, datasetLocation } from './plan/dataset.ts';
import { formatDuration } from './plan/duration.ts';
import type { Json } from './plan/json.ts';
import type { Plan, TaskPlan } from './plan/plan.ts';
import type { RunResult, TaskResult } from './plan/run.ts';
import type { DataInterval } from './plan/schedule.ts';
import { taskBoard } from './plan/task-board.ts';
import type { TaskInput } from './plan/task-input.ts';
import { isFinal } from './plan/task-state.ts';
import { applyTriggerRule } from './plan/trigger-rule.ts';

/**
 * One run of a plan: starts each task when its trigger rule allows, keeps the states, and says how the run ended.
 * A plain task costs what an activity in a hand-written workflow costs: retries and timeouts are Temporal's own.
 */
export class PipelineRun {
  private readonly results = new Map<string, TaskResult>();
  private readonly failures = new Map<string, unknown>();
  private readonly followers = new Map<string, TaskPlan[]>();
  private readonly scope: CancellationScope;
  private boardIsOld = false;

  constructor(
    private readonly plan: Plan,
    private readonly interval: DataInterval,
  ) {
    for (const task of plan.tasks) {
      for (const upstream of task.dependsOn) {
        const followers = this.followers.get(upstream);
        if (followers) followers.push(task);
        else this.followers.set(upstream, [task]);
      }
    }
    this.scope = new CancellationScope(
      plan.runTimeoutMs === undefined ? { cancellable: true } : { cancellable: true, timeout: plan.runTimeoutMs },
    );
  }

  /**
   * Runs to the end.
   * @returns the states and outputs, when the run is a success
   * @throws CancelledFailure when the run was cancelled, ApplicationFailure `PipelineFailed` or `DagrunTimeout` with a RunResult as details
   */
  async complete(): Promise<RunResult> {
    const root = CancellationScope.current();
    try {
      await this.scope.run(async () => {
        this.consider(this.plan.tasks);
        // Not cancellable: tasks end themselves when the scope is cancelled, and their last states belong to the result.
        await CancellationScope.nonCancellable(() => condition(() => this.results.size === this.plan.tasks.length && this.allFinal()));
      });
    } catch (error) {
      // The scope reports its own cancellation although every task has ended in order.
      if (!isCancellation(error)) throw error;
    }
    if (root.consideredCancelled) throw new CancelledFailure('The run was cancelled');
    if (this.scope.consideredCancelled) {
      throw this.failure('DagrunTimeout', `The run took longer than its dagrun_timeout of ${formatDuration(this.plan.runTimeoutMs ?? 0)}`);
    }
    const failed = this.plan.tasks.filter((task) => this.failsTheRun(task));
    if (failed.length > 0) throw this.failure('PipelineFailed', this.failureMessage(failed));
    return this.result('success');
  }

  /** Starts, skips or leaves waiting each of `tasks`; a task that ends unstarted makes its followers candidates in turn. */
  private consider(tasks: readonly TaskPlan[]): void {
    const candidates = [...tasks];
    for (const task of candidates) {
      if (this.results.has(task.name)) continue;
      const upstream = task.dependsOn.map((name) => this.results.get(name)?.state).filter((state) => state !== undefined);
      const verdict = applyTriggerRule(task.triggerRule, upstream.filter(isFinal), task.dependsOn.length);
      if (verdict === 'wait') continue;
      if (this.scope.consideredCancelled) {
        this.settle(task, { state: 'canceled' });
      } else if (verdict === 'run') {
        void this.start(task);
        continue;
      } else {
        this.settle(task, { state: verdict });
      }
      candidates.push(...(this.followers.get(task.name) ?? []));
    }
  }

  private async start(task: TaskPlan): Promise<void> {
    this.settle(task, { state: 'running' });
    try {
      this.settle(task, { state: 'success', output: await this.execute(task) });
    } catch (error) {
      const state = isCancellation(error) ? 'canceled' : 'failed';
      if (state === 'failed') this.failures.set(task.name, error);
      this.settle(task, state === 'failed' ? { state, error: messageOf(error, task) } : { state });
    }
    this.consider(this.followers.get(task.name) ?? []);
  }

  private execute(task: TaskPlan): Promise<Json> {
    const dataset = task.inputFrom === undefined ? undefined : (this.results.get(task.inputFrom)?.output as DatasetReference | undefined);
    const input: TaskInput = {
      params: task.params,
      interval: this.interval,
      ...(dataset && { input: dataset }),
      ...(task.outputBase !== undefined && { output: datasetLocation(task.outputBase, this.interval.start) }),
    };
    return scheduleActivity<Json>(task.type, [input], {
      activityId: task.name,
      // The UI's timeline shows the type and the summary, not the id.
      summary: `${task.name}: ${task.summary}`,
      startToCloseTimeout: task.executionTimeoutMs,
      heartbeatTimeout: task.heartbeatTimeoutMs,
      ...(task.queueTimeoutMs !== undefined && { scheduleToStartTimeout: task.queueTimeoutMs }),
      ...(task.queue !== undefined && { taskQueue: task.queue }),
      ...(task.priority !== undefined && { priority: { priorityKey: task.priority } }),
      // A cancelled task cleans up after itself; its state is known only when it has.
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry: {
        maximumAttempts: task.retry.maximumAttempts,
        initialInterval: task.retry.initialDelayMs,
        backoffCoefficient: task.retry.backoff,
        maximumInterval: task.retry.maximumDelayMs,
      },
    });
  }

  private settle(task: TaskPlan, result: TaskResult): void {
    this.results.set(task.name, result);
    if (this.boardIsOld) return;
    this.boardIsOld = true;
    // Once for all that changes in one step: a fan-out of 500 tasks is drawn once, not 500 times.
    void Promise.resolve().then(() => {
      this.boardIsOld = false;
      setCurrentDetails(taskBoard(this.plan, this.interval, this.results));
    });
  }

  private allFinal(): boolean {
    for (const { state } of this.results.values()) if (!isFinal(state)) return false;
    return true;
  }

  private failsTheRun(task: TaskPlan): boolean {
    const state = this.results.get(task.name)?.state;
    return !task.allowFailure && (state === 'failed' || state === 'upstream_failed');
  }

  private failureMessage(failed: readonly TaskPlan[]): string {
    const first = failed.find((task) => this.results.get(task.name)?.state === 'failed') ?? failed[0];
    const succeeded = [...this.results.values()].filter(({ state }) => state === 'success').length;
    const reason = first && this.results.get(first.name)?.error;
    return `${first?.name} failed (${succeeded} of ${this.plan.tasks.length} tasks succeeded)${reason ? `: ${reason}` : ''}`;
  }

  private failure(type: 'PipelineFailed' | 'DagrunTimeout', message: string): ApplicationFailure {
    const cause = [...this.failures.values()].find((error) => error instanceof Error);
    return ApplicationFailure.create({ type, message, nonRetryable: true, details: [this.result('failed')], ...(cause && { cause }) });
  }

  private result(state: RunResult['state']): RunResult {
    return { state, interval: this.interval, tasks: Object.fromEntries(this.results) };
  }
}

/** What an analyst reads of a failed task: the activity's own words; Temporal's timeouts in ours. */
function messageOf(error: unknown, task: TaskPlan): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (cause instanceof TimeoutFailure) {
    switch (cause.timeoutType) {
      case TimeoutType.HEARTBEAT:
        return `No sign of life for ${formatDuration(task.heartbeatTimeoutMs)}: the worker died or lost its connection to Temporal.`;
      case TimeoutType.START_TO_CLOSE:
        return `The attempt took longer than its execution_timeout of ${formatDuration(task.executionTimeoutMs)}.`;
      case TimeoutType.SCHEDULE_TO_START:
        return `No worker took it within its queue_timeout of ${formatDuration(task.queueTimeoutMs ?? 0)}: is a worker running for this queue?`;
      default:
        return cause.message;
    }
  }
  return cause instanceof Error ? cause.message : String(cause);
}
