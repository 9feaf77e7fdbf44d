import {
  CancellationScope,
  condition,
  isCancellation,
  scheduleActivity,
  scheduleLocalActivity,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { runActivity } from './host/activity.ts';
import { runItems, runPipeline } from './host/child-runs.ts';
import { RunDisplay } from './host/run-display.ts';
import { RunSlots } from './host/run-slots.ts';
import { explainError, runWork } from './host/task-errors.ts';
import type { TaskPlan } from './plan/plan.ts';
import { type Past, PAST_ACTIVITY } from './plan/runs/past.ts';
import type { RunStatus } from './plan/runs/run.ts';
import type { FailureQuestion, HostFact, HostFacts } from './plan/tasks/failure.ts';
import type { ItemOutcome } from './plan/tasks/items.ts';
import type { Json } from './plan/values/json.ts';
import {
  type ActivityCall,
  type ItemsCall,
  type PastCall,
  type PipelineCall,
  type RunHost,
  type RunningActivity,
  type RunScope,
  type ScopeOptions,
  type SlotCall,
  TaskCanceled,
  type TaskFailed,
} from './run/run-host.ts';
import { scopeIn, shieldIn, temporalScope, withTimeout, workflowScope } from './temporal-scope.ts';

/** Runs a pipeline on Temporal. Every action belongs to the scope that the call names, wherever the calling code runs. */
export class TemporalHost implements RunHost {
  private readonly root = workflowScope();
  private readonly display = new RunDisplay();
  private readonly slots: RunSlots;

  /** @param heldByCallers keys of slots held by the tasks that wait for this run */
  constructor(heldByCallers: readonly string[] = []) {
    this.slots = new RunSlots(heldByCallers);
  }

  get canceled(): boolean {
    return this.root.consideredCancelled;
  }

  get now(): number {
    return Date.now();
  }

  within<T>({ timeoutMs, shielded = false, inside }: ScopeOptions, work: (scope: RunScope) => Promise<T>): Promise<T> {
    const parent = inside ? temporalScope(inside) : this.root;
    if (timeoutMs !== undefined) return withTimeout(timeoutMs, parent, work);
    const scope = shielded ? shieldIn(parent) : scopeIn(parent);
    return scope.run(() => work(scope));
  }

  execute(call: ActivityCall, scope: RunScope): Promise<Json> {
    return runWork(call.task, scope, () => runActivity(call));
  }

  begin(call: ActivityCall, inside: RunScope): RunningActivity {
    const scope = scopeIn(temporalScope(inside));
    return { scope, output: scope.run(() => runActivity(call)) };
  }

  explain(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled {
    return explainError(task, error);
  }

  runPipeline(call: PipelineCall, scope: RunScope): Promise<Json> {
    return runPipeline(call, call.wait ? this.slots.heldWhileWaiting(call.taskId) : [], scope);
  }

  runItems(call: ItemsCall, scope: RunScope): Promise<readonly ItemOutcome[]> {
    return runItems(call, this.slots.heldByCallers, scope);
  }

  acquire(call: SlotCall, scope: RunScope): Promise<(() => Promise<void>) | undefined> {
    return this.slots.acquire(call, scope);
  }

  past({ id, task, question }: PastCall, scope: RunScope): Promise<Past> {
    const { start, end } = question.interval;
    return runWork(task, scope, () =>
      scheduleActivity<Past>(PAST_ACTIVITY, [question], {
        activityId: id,
        summary: `${task.name}: its own success in the run of ${start} – ${end}`,
        startToCloseTimeout: '1 minute',
        retry: PAST_RETRY,
      }),
    );
  }

  failureFacts(task: string, wanted: readonly HostFact[]): Promise<HostFacts> {
    const { workflowId, runId } = workflowInfo();
    return CancellationScope.nonCancellable(() =>
      scheduleLocalActivity<HostFacts>('failure_facts', [{ workflowId, runId, task, wanted } satisfies FailureQuestion], {
        startToCloseTimeout: '30s',
        summary: 'what handlers read of the failure',
      }),
    );
  }

  show(taskTable: () => string): void {
    this.display.show(taskTable);
  }

  enter(status: RunStatus): void {
    this.display.enter(status);
  }

  showWaits(lines: readonly string[]): void {
    this.display.showWaits(lines);
  }

  async until(ready: () => boolean, { timeoutMs, summary }: { timeoutMs?: number; summary: string }, scope: RunScope): Promise<boolean> {
    try {
      return await temporalScope(scope).run(async () => {
        if (timeoutMs !== undefined) return raceTimer(ready, timeoutMs, summary);
        await condition(ready);
        return true;
      });
    } catch (error) {
      throw isCancellation(error) ? new TaskCanceled('cancelled') : error;
    }
  }
}

/** Like `condition` with a timeout, but with a summary for the timer in the UI. */
async function raceTimer(ready: () => boolean, timeoutMs: number, summary: string): Promise<boolean> {
  const timer = new CancellationScope();
  try {
    return await Promise.race([condition(ready).then(() => true), timer.run(() => sleep(timeoutMs, { summary })).then(() => false)]);
  } finally {
    timer.cancel();
  }
}

/** How often to check the past of a task. Frequent at first, for runs that follow each other closely. */
const PAST_RETRY = { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '30s' } as const;
