import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { attemptsOf, type HostFacts } from '../../workflows/plan/tasks/failure.ts';
import type { ItemOutcome } from '../../workflows/plan/tasks/items.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { runCalls } from '../../workflows/run/run-calls.ts';
import type { Past } from '../../workflows/plan/runs/past.ts';
import type { TaskPlan } from '../../workflows/plan/plan.ts';
import {
  type ActivityCall,
  type ItemsCall,
  type PipelineCall,
  type RunHost,
  type RunningActivity,
  type RunScope,
  type ScopeOptions,
  TaskCanceled,
  TaskFailed,
} from '../../workflows/run/run-host.ts';
import type { HostField } from '../../workflows/run/task-fields.ts';

const NO_WORKERS = 'A simulated run has no workers and no queues: each step runs immediately.';

/** Fields of a task that a simulated attempt ignores, with the reason. */
export const NOT_SIMULATED = {
  heartbeatTimeoutMs: 'The worker of a simulated attempt cannot die.',
  queueTimeoutMs: NO_WORKERS,
  queue: NO_WORKERS,
  priority: 'A simulated task never waits for a worker, so priority has no effect.',
} as const satisfies Partial<Record<HostField, string>>;

/** The fields that a simulated attempt follows: every field of a task that the host handles, except those in NOT_SIMULATED. */
function rulesOf({ retry, retryRules, wait, executionTimeoutMs }: TaskPlan) {
  return { retry, retryRules, wait, executionTimeoutMs } satisfies Record<Exclude<HostField, keyof typeof NOT_SIMULATED>, unknown>;
}

/** A simulated run longer than this is considered endless. */
const LONGEST_RUN_MS = 400 * 86_400_000;

/** The scripted result of one attempt of a task. */
export interface SimulatedAttempt {
  readonly takesMs: number;
  readonly output?: Json;
  readonly failure?: { readonly type: string; readonly message: string; readonly retryable: boolean };
}

/** Returns the result of an attempt (from 1) of an activity. */
export type Script = (call: ActivityCall, attempt: number) => SimulatedAttempt;

/** Runs another pipeline on the clock of this host. */
export type RunChild = (call: PipelineCall, host: SimulatedHost) => Promise<Json>;

interface Timer {
  readonly at: number;
  readonly fire: () => void;
  canceled: boolean;
}

/**
 * Runs a plan without Temporal: time is simulated, and a script decides the results of activities. Retries, delays and timeouts follow the
 * plan.
 */
export class SimulatedHost implements RunHost {
  /** Milliseconds since the run started. */
  now = 0;
  /** Attempts of each activity, by activity id. */
  readonly attempts = new Map<string, number>();
  private readonly root: RunScope = new SimulatedScope();
  private readonly timers: Timer[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly script: Script,
    private readonly runChild: RunChild,
  ) {}

  get canceled(): boolean {
    return this.root.canceled;
  }

  /** Requests cancellation of the run. */
  cancel(): void {
    this.root.cancel();
  }

  show(): void {
    // A simulated run has no display.
  }

  /** Calls `fire` after `ms` milliseconds of simulated time. */
  after(ms: number, fire: () => void): { cancel(): void } {
    const timer: Timer = { at: this.now + ms, fire, canceled: false };
    this.timers.push(timer);
    return { cancel: () => void (timer.canceled = true) };
  }

  /** Advances time until `work` has ended. @throws Error when no remaining timer can end it */
  async drive<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const watched = work.finally(() => (ended = true));
    watched.catch(() => undefined);
    for (;;) {
      // Finish everything that follows from past events before advancing the time.
      await new Promise((resolve) => setImmediate(resolve));
      if (ended) return watched;
      for (const look of [...this.waiting]) look();
      await new Promise((resolve) => setImmediate(resolve));
      if (ended) return watched;
      const next = this.nextTimer();
      if (!next)
        throw new Error(
          'The run never ends: it waits for an event that cannot happen, such as a decision on an approval without a timeout.',
        );
      if (next.at > LONGEST_RUN_MS) throw new Error(`The run has not ended after ${formatDuration(LONGEST_RUN_MS)} of simulated time.`);
      this.now = next.at;
      next.fire();
    }
  }

  async within<T>(options: ScopeOptions, work: (scope: RunScope) => Promise<T>): Promise<T> {
    const scope = new SimulatedScope(options.shielded ? undefined : (options.inside ?? this.root));
    const timer = options.timeoutMs === undefined ? undefined : this.after(options.timeoutMs, () => scope.cancel());
    try {
      return await work(scope);
    } finally {
      timer?.cancel();
    }
  }

  async execute(call: ActivityCall, scope: RunScope): Promise<Json> {
    const { retry, wait, retryRules, executionTimeoutMs } = rulesOf(call.task);
    const deadline = wait ? this.now + wait.timeoutMs : Infinity;
    for (let attempt = 1; ; attempt++) {
      this.attempts.set(call.id, attempt);
      const { takesMs, output = null, failure } = this.script(call, attempt);
      const limitMs = Math.min(executionTimeoutMs > 0 ? executionTimeoutMs : Infinity, deadline - this.now);
      await this.pass(Math.min(takesMs, limitMs), scope);
      if (wait && takesMs > limitMs && this.now >= deadline) throw TaskFailed.inVain(wait.timeoutMs, undefined, undefined);
      const went = takesMs > limitMs ? { type: 'execution_timeout', message: 'The attempt took too long.', retryable: true } : failure;
      if (!went) return output;
      const rule = retryRules?.find(({ on }) => on === went.type);
      const retryable = rule ? rule.action === 'retry' : went.retryable;
      const origin = new Error(went.message);
      // 0 means no limit, as in Temporal.
      if (!retryable || (retry.maximumAttempts > 0 && attempt >= retry.maximumAttempts)) throw new TaskFailed(went.message, origin);
      const delayMs = rule?.delayMs ?? Math.min(retry.initialDelayMs * retry.backoff ** (attempt - 1), retry.maximumDelayMs);
      // If the next attempt would start too late, the wait ends now.
      if (wait && this.now + delayMs >= deadline) throw TaskFailed.inVain(wait.timeoutMs, went.message, origin);
      await this.pass(delayMs, scope);
    }
  }

  runItems({ input: { task, calls, parallel, stopAtFailure } }: ItemsCall, inside: RunScope): Promise<readonly ItemOutcome[]> {
    return runCalls(this, task, calls, { parallel, stopAtFailure, inside, ended: () => undefined });
  }

  begin(call: ActivityCall, inside: RunScope): RunningActivity {
    const scope = new SimulatedScope(inside);
    return { scope, output: this.execute(call, scope) };
  }

  explain(_task: TaskPlan, error: unknown): TaskFailed | TaskCanceled {
    return error instanceof TaskCanceled || error instanceof TaskFailed ? error : new TaskFailed(String(error), error);
  }

  async runPipeline(call: PipelineCall, scope: RunScope): Promise<Json> {
    if (scope.canceled) throw new TaskCanceled('cancelled');
    this.attempts.set(call.taskId, call.attempt);
    // The child shares the clock and the script; cancelling the task cancels it.
    const child = Object.create(this, { root: { value: scope } }) as SimulatedHost;
    const output = await this.runChild(call, child);
    if (call.wait && scope.canceled) throw new TaskCanceled('cancelled');
    return output;
  }

  /** A single simulated run always gets its slots. */
  async acquire(): Promise<() => Promise<void>> {
    return async () => undefined;
  }

  /** A simulated run is the first of its pipeline. */
  async past(): Promise<Past> {
    return {};
  }

  /** A simulated run has no UI page. */
  async failureFacts(task: string): Promise<HostFacts> {
    return { attempts: attemptsOf(task, this.attempts), run_url: '' };
  }

  enter(): void {
    // A simulated run has no display.
  }

  showWaits(): void {
    // A simulated run has no display.
  }

  until(ready: () => boolean, { timeoutMs }: { timeoutMs?: number; summary: string }, scope: RunScope): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (done: () => void): void => {
        this.waiting.delete(look);
        timer?.cancel();
        done();
      };
      const look = (): void => {
        if (ready()) end(() => resolve(true));
        else if (scope.canceled) end(() => reject(new TaskCanceled('cancelled')));
      };
      const timer = timeoutMs === undefined ? undefined : this.after(timeoutMs, () => end(() => resolve(false)));
      this.waiting.add(look);
    });
  }

  /** Advances time for one task. @throws TaskCanceled */
  private async pass(ms: number, scope: RunScope): Promise<void> {
    let over = false;
    this.after(ms, () => (over = true));
    if (!(await this.until(() => over, { summary: '' }, scope))) throw new TaskCanceled('cancelled');
  }

  private nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) if (!timer.canceled && (!next || timer.at < next.at)) next = timer;
    if (next) this.timers.splice(this.timers.indexOf(next), 1);
    return next;
  }
}

class SimulatedScope implements RunScope {
  private isCanceled = false;

  constructor(private readonly parent?: RunScope) {}

  get canceled(): boolean {
    return this.isCanceled || (this.parent?.canceled ?? false);
  }

  cancel(): void {
    this.isCanceled = true;
  }
}
