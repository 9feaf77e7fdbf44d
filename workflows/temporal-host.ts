import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  defineSearchAttributeKey,
  type SearchAttributePair,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import {
  ActivityCancellationType,
  type ActivityOptions,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  scheduleActivity,
  scheduleLocalActivity,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { boundedId } from './plan/values/bounded-id.ts';
import { formatDuration } from './plan/values/duration.ts';
import type { FailureQuestion, HostFact, HostFacts } from './plan/tasks/failure.ts';
import { type ItemOutcome, ITEMS_WORKFLOW, type ItemsInput } from './plan/tasks/items.ts';
import type { Json } from './plan/values/json.ts';
import { type Past, PAST_ACTIVITY } from './plan/runs/past.ts';
import type { RetryRule, TaskPlan, WaitPlan } from './plan/plan.ts';
import { type RunResult, type RunStatus, waitsForPeople } from './plan/runs/run.ts';
import { runFacts } from './plan/runs/run-facts.ts';
import { SEARCH_ATTRIBUTES } from './plan/runs/search-attributes.ts';
import { RELEASE_SLOTS, SLOTS_ANSWER, SLOTS_SHORTAGE, type SlotsCall } from './plan/slots/slot-messages.ts';
import { WAITS_MEMO } from './plan/tasks/wait-text.ts';
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
  TaskFailed,
} from './run/run-host.ts';
import type { HostField } from './run/task-fields.ts';
import { scopeIn, shieldIn, temporalScope, withTimeout, workflowScope } from './temporal-scope.ts';
import { errorText } from './plan/values/error-text.ts';

const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state.name, SEARCH_ATTRIBUTES.state.type);
const ASK_AGAIN = '5 minutes';
/** Since 2026-11-28 a run that waits for people can be searched for. */
const WAITS_ARE_SHOWN = 'waits-are-shown';
/** Since the same day its memo says for whom, too. */
const WAITS_IN_MEMO = 'waits-in-memo';

/** And ids have at most 255 bytes. */
const IDS_ARE_BOUNDED = 'ids-are-bounded';

/** Carries a run out on Temporal. What is done belongs to the scope that is named, wherever the code that asks for it runs. */
export class TemporalHost implements RunHost {
  private readonly root = workflowScope();
  private readonly answers = new Map<string, boolean>();
  private status: RunStatus = 'running';
  private shown: RunStatus = 'running';
  private waitsShown = '';
  /** Who of this run waits for slots and hears when there are too few, by key. */
  private readonly waiting = new Map<string, (capacity: number) => void>();
  /** The keys of pool slots that tasks hold, by the task. */
  private readonly held = new Map<string, string>();

  /** @param heldByCallers keys of slots that are held by those who wait for this run */
  constructor(private readonly heldByCallers: readonly string[] = []) {
    setHandler(SLOTS_ANSWER, ({ key, granted }) => void this.answers.set(key, granted));
    setHandler(SLOTS_SHORTAGE, ({ key, capacity }) => this.waiting.get(key)?.(capacity));
  }

  get canceled(): boolean {
    return this.root.consideredCancelled;
  }

  get now(): number {
    return Date.now();
  }

  show(taskTable: () => string): void {
    // The SDK makes JSON of the details when it is asked for them; a board drawn at each step of a run is seldom looked at.
    setCurrentDetails({ toJSON: taskTable } as unknown as string);
  }

  within<T>({ timeoutMs, shielded = false, inside }: ScopeOptions, work: (scope: RunScope) => Promise<T>): Promise<T> {
    const parent = inside ? temporalScope(inside) : this.root;
    if (timeoutMs !== undefined) return withTimeout(timeoutMs, parent, work);
    const scope = shielded ? shieldIn(parent) : scopeIn(parent);
    return scope.run(() => work(scope));
  }

  execute(call: ActivityCall, scope: RunScope): Promise<Json> {
    return translateErrors(call.task, () => temporalScope(scope).run(() => schedule(call)));
  }

  begin(call: ActivityCall, inside: RunScope): RunningActivity {
    const scope = scopeIn(temporalScope(inside));
    return { scope, output: scope.run(() => schedule(call)) };
  }

  explain(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled {
    return explain(task, error);
  }

  async runPipeline({ parentRunId, taskId, attempt, task, plan, params, interval, wait }: PipelineCall, scope: RunScope): Promise<Json> {
    const id = `${parentRunId}/${taskId}${attempt === 1 ? '' : `@${attempt}`}`;
    const own = this.held.get(taskId);
    const heldByCallers = wait ? [...this.heldByCallers, ...(own === undefined ? [] : [own])] : [];
    const { attributes, ...facts } = runFacts(plan, 'pipeline', { params, interval, heldByCallers, detail: `started by ${id}` });
    // The workflow id is derived from the cause: the parent's run and its task.
    const workflowId = idWithinLimit(`${plan.dagId}/pipeline/${id}`);
    const started = async (): Promise<RunResult | undefined> => {
      const child = await startChild(plan.dagId, {
        ...facts,
        workflowId,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: attributes.map(
          ({ name, type, value }) => ({ key: defineSearchAttributeKey(name, type), value }) as SearchAttributePair,
        ),
        parentClosePolicy: wait ? ParentClosePolicy.REQUEST_CANCEL : ParentClosePolicy.ABANDON,
        cancellationType: wait ? ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED : ChildWorkflowCancellationType.ABANDON,
        ...(task.priority !== undefined && { priority: { priorityKey: task.priority } }),
      });
      return wait ? ((await child.result()) as RunResult) : undefined;
    };
    const result = await translateErrors(task, () => temporalScope(scope).run(started));
    const outputs = Object.fromEntries(Object.entries(result?.tasks ?? {}).map(([name, { output = null }]) => [name, output]));
    return { run_id: workflowId, state: result?.state ?? 'running', outputs };
  }

  runItems({ id, summary, input }: ItemsCall, scope: RunScope): Promise<readonly ItemOutcome[]> {
    return translateErrors(input.task, () =>
      temporalScope(scope).run(() =>
        executeChild<(input: ItemsInput) => Promise<ItemOutcome[]>>(ITEMS_WORKFLOW, {
          workflowId: idWithinLimit(id),
          args: [this.heldByCallers.length > 0 ? { ...input, heldByCallers: this.heldByCallers } : input],
          staticSummary: summary,
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        }),
      ),
    );
  }

  async acquire(
    { workflowId: slotsId, kind, capacity, summary, onShortage, ...wanted }: SlotCall,
    scope: RunScope,
  ): Promise<(() => Promise<void>) | undefined> {
    const workflowId = idWithinLimit(slotsId);
    const { workflowId: holder, runId, workflowType } = workflowInfo();
    const key = `${runId} ${wanted.what} ${workflowId}`;
    const request = {
      ...wanted,
      key,
      workflowId: holder,
      runId,
      group: workflowType,
      ...(onShortage && { hearsShortage: true }),
      ...(kind === 'pool' && this.heldByCallers.length > 0 && { behind: this.heldByCallers }),
    };
    if (onShortage) this.waiting.set(key, onShortage);
    const call: SlotsCall = { workflowId, kind, request, ...(capacity !== undefined && { capacity }) };
    const release = (): Promise<void> =>
      CancellationScope.nonCancellable(() =>
        getExternalWorkflowHandle(workflowId)
          .signal(RELEASE_SLOTS, key)
          // Nobody holds them any more: there is nothing to give back.
          .catch(() => undefined),
      );
    const answered = async (): Promise<void> => {
      for (;;) {
        await scheduleLocalActivity('request_slots', [call], { startToCloseTimeout: '30s', summary: `asks for ${summary}` });
        // Asked again now and then: whoever had the request may be gone, by somebody's hand.
        if (await condition(() => this.answers.has(key), ASK_AGAIN)) return;
      }
    };
    try {
      await temporalScope(scope).run(answered);
    } catch (error) {
      await release();
      throw isCancellation(error) ? new TaskCanceled('cancelled') : error;
    } finally {
      this.waiting.delete(key);
    }
    const isGranted = this.answers.get(key) === true;
    this.answers.delete(key);
    if (!isGranted) return undefined;
    if (kind !== 'pool') return release;
    this.held.set(wanted.what, key);
    return async () => {
      this.held.delete(wanted.what);
      await release();
    };
  }

  past({ id, task, question }: PastCall, scope: RunScope): Promise<Past> {
    const { start, end } = question.interval;
    return translateErrors(task, () =>
      temporalScope(scope).run(() =>
        scheduleActivity<Past>(PAST_ACTIVITY, [question], {
          activityId: id,
          summary: `${task.name}: its own success in the run of ${start} – ${end}`,
          startToCloseTimeout: '1 minute',
          retry: PAST_RETRY,
        }),
      ),
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

  enter(state: RunStatus): void {
    const aboutPeople = waitsForPeople(state) || waitsForPeople(this.status);
    // Asked for in this order, so that a new run has one marker for both.
    const shown = waitsForPeople(state) && !patched(WAITS_IN_MEMO) && !patched(WAITS_ARE_SHOWN) ? 'running' : state;
    const isNew = shown !== this.shown;
    this.status = state;
    this.shown = shown;
    // Runs of earlier releases have no attribute while they wait for people, and may have the same one twice otherwise.
    if (isNew || !aboutPeople) upsertSearchAttributes([{ key: STATE, value: shown === 'running' ? null : shown }]);
  }

  showWaits(lines: readonly string[]): void {
    const text = lines.join('\n');
    if (text === this.waitsShown || (text !== '' && !patched(WAITS_IN_MEMO))) return;
    this.waitsShown = text;
    upsertMemo({ [WAITS_MEMO]: text === '' ? null : lines });
  }

  async until(ready: () => boolean, { timeoutMs, summary }: { timeoutMs?: number; summary: string }, scope: RunScope): Promise<boolean> {
    try {
      return await temporalScope(scope).run(async () => {
        if (timeoutMs !== undefined) return this.raceTimer(ready, timeoutMs, summary);
        await condition(ready);
        return true;
      });
    } catch (error) {
      throw isCancellation(error) ? new TaskCanceled('cancelled') : error;
    }
  }

  /** As `condition` with a timeout, with a word for the timer in the UI. */
  private async raceTimer(ready: () => boolean, timeoutMs: number, summary: string): Promise<boolean> {
    const timer = new CancellationScope();
    try {
      return await Promise.race([condition(ready).then(() => true), timer.run(() => sleep(timeoutMs, { summary })).then(() => false)]);
    } finally {
      timer.cancel();
    }
  }
}

/** How often the past of a task is looked at: soon at first, for runs that follow each other closely. */
const PAST_RETRY = { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '30s' } as const;

/** An id that Temporal's databases take. Runs that began before ids were bounded keep those that they have used. */
function idWithinLimit(text: string): string {
  const id = boundedId(text);
  return id === text || patched(IDS_ARE_BOUNDED) ? id : text;
}

function schedule({ id, task, summary, input }: ActivityCall): Promise<Json> {
  const options: ActivityOptions = {
    activityId: id,
    // The UI's timeline shows the type and the summary, not the id.
    summary,
    // A cancelled task cleans up after itself; its state is known only when it has.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  };
  for (const row of OPTION_ROWS) Object.assign(options, row(task));
  return scheduleActivity<Json>(task.type, [input], options);
}

const retryOptions = ({ retry, retryRules }: TaskPlan): ActivityOptions => ({
  retry: {
    ...(retry.maximumAttempts > 0 && { maximumAttempts: retry.maximumAttempts }),
    initialInterval: retry.initialDelayMs,
    backoffCoefficient: retry.backoff,
    maximumInterval: retry.maximumDelayMs,
    ...(retryRules && { nonRetryableErrorTypes: notRetried(retryRules) }),
  },
});

/** What each field of a task is as an option of its activity; fields that make an option together share a row. */
const ACTIVITY_OPTIONS = {
  executionTimeoutMs: ({ executionTimeoutMs }) => ({ startToCloseTimeout: executionTimeoutMs }),
  heartbeatTimeoutMs: ({ heartbeatTimeoutMs }) => ({ heartbeatTimeout: heartbeatTimeoutMs }),
  wait: ({ wait }) => wait && { scheduleToCloseTimeout: wait.timeoutMs },
  queueTimeoutMs: ({ queueTimeoutMs: ms }) => (ms === undefined ? undefined : { scheduleToStartTimeout: ms }),
  queue: ({ queue }) => (queue === undefined ? undefined : { taskQueue: queue }),
  priority: ({ priority }) => (priority === undefined ? undefined : { priority: { priorityKey: priority } }),
  retry: retryOptions,
  retryRules: retryOptions,
} as const satisfies Readonly<Record<HostField, (task: TaskPlan) => ActivityOptions | undefined>>;

const OPTION_ROWS = new Set<(task: TaskPlan) => ActivityOptions | undefined>(Object.values(ACTIVITY_OPTIONS));

/** Does a task's work, and says in the words of runs how it failed. */
async function translateErrors<T>(task: TaskPlan, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(task, error);
  }
}

function explain(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled {
  if (isCancellation(error)) return new TaskCanceled('cancelled');
  return task.wait && isExpired(error) ? waitedInVain(task.wait, error) : new TaskFailed(messageOf(error, task), error);
}

/** Whether a task that looks again and again has run out of time: its server gives it no further look, or the last one took too long. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause, retryState } = error;
  return retryState === 'TIMEOUT' || (cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.SCHEDULE_TO_CLOSE);
}

function waitedInVain({ timeoutMs }: WaitPlan, error: unknown): TaskFailed {
  let last = error;
  // The task's own words are the outermost ones that it has chosen; their causes are its drivers'.
  while (!(last instanceof ApplicationFailure) && last instanceof Error && last.cause instanceof Error) last = last.cause;
  return TaskFailed.inVain(timeoutMs, last instanceof ApplicationFailure ? last.message : undefined, error);
}

/** Failures of time are Temporal's own, and have its names. */
const TIMEOUTS: Readonly<Record<string, string>> = {
  execution_timeout: 'TemporalTimeout:StartToClose',
  heartbeat_timeout: 'TemporalTimeout:Heartbeat',
};

/** The types for which Temporal itself is not to retry, by the first rule of each; the others' rules are carried out where the failure is made. */
function notRetried(rules: readonly RetryRule[]): string[] {
  const first = new Map([...rules].reverse().map((rule) => [rule.on, rule]));
  return [...first.values()].filter(({ action }) => action === 'fail').map(({ on }) => TIMEOUTS[on] ?? on);
}

/** What an analyst reads of a failed task: the activity's own words; Temporal's timeouts in ours. */
function messageOf(error: unknown, task: TaskPlan): string {
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? (error.cause ?? error) : error;
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
  return errorText(cause);
}
