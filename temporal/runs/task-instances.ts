import { defaultFailureConverter, type PayloadConverter } from '@temporalio/common';
import type proto from '@temporalio/proto';
import type { Json } from '../../workflows/plan/values/json.ts';
import { taskOfPast } from '../../workflows/plan/runs/past.ts';
import { allTasks, type Plan, type TaskPlan } from '../../workflows/plan/plan.ts';
import { type RunInput, runInputOf, type RunResult } from '../../workflows/plan/runs/run.ts';
import { isFinal, type TaskState } from '../../workflows/plan/tasks/task-state.ts';
import type { OpenWait, TaskStatus, TaskTable } from '../../workflows/plan/tasks/task-table.ts';
import { payloadReader, SluiceCodec } from '../codec/codec.ts';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;
type Payloads = proto.temporal.api.common.v1.IPayloads | null | undefined;
type Failure = proto.temporal.api.failure.v1.IFailure;

/** A task in a run. */
export interface TaskInstance {
  readonly task: string;
  readonly type: string;
  readonly summary: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly output?: Json;
  readonly error?: string;
  /** A few words for people: why it was skipped, who approved it, how many items are done. */
  readonly note?: string;
  /** For whom it waits, and until when. */
  readonly wait?: OpenWait;
  /** Of a task with items: those that failed and were not repeated with success. */
  readonly failedItems?: readonly FailedItem[];
}

export interface FailedItem {
  /** `[3]`; `[3][1]` in a list inside a list, `[0-99]` for a batch. */
  readonly item: string;
  readonly error: string;
}

/** A pending activity, as Temporal describes it. */
export interface PendingActivity {
  readonly id: string;
  readonly attempt: number;
  /** Whether it waits for its next attempt. */
  readonly isRetrying: boolean;
  /** Whether a worker has it. */
  readonly isStarted: boolean;
  readonly lastFailure?: string;
}

/**
 * The states of a run's tasks, for everybody who shows or watches them. The run's own word comes first: its task table while it runs, its result
 * when it has ended. What that does not say comes from the history: times, attempts, outputs, and all of it where no worker answers.
 */
export class TaskInstances {
  input: RunInput | undefined;
  result: RunResult | undefined;
  /** The run's own task table, as it was given last. */
  table: TaskTable | undefined;
  private readonly plans = new Map<string, TaskPlan>();
  private readonly tasks = new Map<string, TaskInstance>();
  private readonly scheduled = new Map<string, string>();
  private runId = '';
  private endedAt: Date | undefined;

  /** @param reader reads payloads as Temporal keeps them */
  constructor(private readonly reader: PayloadConverter) {}

  /** The tasks of `plan`, none of which has started; without a history. */
  static of(plan: Plan): TaskInstances {
    const instances = new TaskInstances(payloadReader(new SluiceCodec()));
    instances.begin(plan);
    return instances;
  }

  /** All tasks in the plan's order. */
  all(): TaskInstance[] {
    return [...this.tasks.values()];
  }

  get(task: string): TaskInstance | undefined {
    return this.tasks.get(task);
  }

  /** Takes one event of the run's history in, from the first on. @returns the tasks that it changed */
  add(event: HistoryEvent): TaskInstance[] {
    const at = timeOf(event);
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.runId = started.workflowId ?? '';
      this.input = runInputOf(decode(started.input, this.reader));
      if (this.input) this.begin(this.input.plan);
      return [];
    }
    return this.addActivity(event, at) ?? this.addChild(event, at) ?? this.addEnd(event, at);
  }

  /** Takes the run's own table in. @returns the tasks that it changed */
  apply(table: TaskTable): TaskInstance[] {
    this.table = table;
    if (this.result) return [];
    const waits = new Map(table.waits.map((wait) => [wait.task, wait]));
    return this.all().flatMap(({ task }) => this.settle(task, table.tasks[task] ?? { state: 'queued' }, waits.get(task)));
  }

  /** Takes in what Temporal knows only while it happens: the attempts of an activity that has not ended. */
  observe({ id, attempt, isRetrying, isStarted, lastFailure }: PendingActivity): TaskInstance | undefined {
    const waiting = this.tasks.get(taskOfPast(id) ?? '');
    if (waiting) return this.waitsForPast(waiting, lastFailure);
    const task = this.tasks.get(nameOf(id));
    // Of an item, the activity says nothing of the whole task.
    if (!task || id.includes('[') || this.endedAt) return undefined;
    const state = isRetrying ? 'up_for_retry' : isStarted ? 'running' : 'queued';
    const refined = task.state === 'queued' || task.state === 'running' || task.state === 'up_for_retry';
    const note = task.state === 'deferred' ? lastFailure : undefined;
    const after: TaskInstance = {
      ...task,
      attempt,
      ...(refined && { state }),
      ...(refined && lastFailure !== undefined && { error: lastFailure }),
      ...(note !== undefined && { note }),
    };
    this.tasks.set(task.task, after);
    return after;
  }

  /** @param seen how its past stands */
  private waitsForPast(task: TaskInstance, seen: string | undefined): TaskInstance | undefined {
    if (this.endedAt || task.state !== 'queued' || seen === undefined) return undefined;
    const after = { ...task, note: `waits for its past: ${seen}` };
    this.tasks.set(task.task, after);
    return after;
  }

  private begin(plan: Plan): void {
    for (const task of allTasks(plan)) {
      const { name, type, summary } = task;
      const kept = this.input?.rerunOf?.kept[name];
      this.plans.set(name, task);
      this.tasks.set(name, { task: name, type, summary, state: 'queued', attempt: 1, ...(kept && !kept.partial && kept) });
    }
  }

  private addActivity(event: HistoryEvent, at: Date): TaskInstance[] | undefined {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityId) {
      this.scheduled.set(String(event.eventId), scheduled.activityId);
      return this.start(scheduled.activityId, at);
    }
    const began = event.activityTaskStartedEventAttributes;
    if (began) return this.change(this.activityOf(began), { startedAt: at, attempt: began.attempt ?? 1 });
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed)
      return this.change(this.activityOf(completed), {
        state: 'success',
        endedAt: at,
        output: decode<Json>(completed.result, this.reader) ?? null,
      });
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) return this.fail(this.activityOf(failed), at, failed.failure);
    const canceled = event.activityTaskCanceledEventAttributes;
    return canceled ? this.change(this.activityOf(canceled), { state: 'canceled', endedAt: at }) : undefined;
  }

  private addChild(event: HistoryEvent, at: Date): TaskInstance[] | undefined {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) return this.start(this.childOf(initiated.workflowId), at);
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started) {
      const id = this.childOf(started.workflowExecution?.workflowId);
      return this.plans.get(nameOf(id))?.params.wait === false ? this.change(id, { state: 'success', endedAt: at }) : [];
    }
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    if (completed) return this.change(this.childOf(completed.workflowExecution?.workflowId), { state: 'success', endedAt: at });
    const failed = event.childWorkflowExecutionFailedEventAttributes;
    if (failed) return this.fail(this.childOf(failed.workflowExecution?.workflowId), at, failed.failure);
    const refused = event.startChildWorkflowExecutionFailedEventAttributes;
    if (refused) return this.fail(this.childOf(refused.workflowId), at, { message: 'the run could not be started: it exists already' });
    const lost = event.childWorkflowExecutionTimedOutEventAttributes ?? event.childWorkflowExecutionTerminatedEventAttributes;
    if (lost) return this.fail(this.childOf(lost.workflowExecution?.workflowId), at, { message: 'the run was ended from outside' });
    const canceled = event.childWorkflowExecutionCanceledEventAttributes;
    return canceled ? this.change(this.childOf(canceled.workflowExecution?.workflowId), { state: 'canceled', endedAt: at }) : undefined;
  }

  /** At its end a run says how every task ended. One that was cancelled or terminated does not: what had not ended is cancelled. */
  private addEnd(event: HistoryEvent, at: Date): TaskInstance[] {
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    const completed = event.workflowExecutionCompletedEventAttributes;
    const hasEnded =
      failure ??
      completed ??
      event.workflowExecutionCanceledEventAttributes ??
      event.workflowExecutionTerminatedEventAttributes ??
      event.workflowExecutionTimedOutEventAttributes;
    if (!hasEnded) return [];
    this.endedAt = at;
    const { result } = this;
    this.result = this.resultIn(completed?.result) ?? this.resultIn(failure?.applicationFailureInfo?.details) ?? result;
    const { tasks = {}, times = {} } = this.result ?? {};
    return this.all().flatMap((instance) => {
      const { state, note } = instance;
      const ended: TaskStatus = tasks[instance.task] ?? { state, ...(note !== undefined && { note }) };
      return this.settle(instance.task, { ...ended, ...times[instance.task] }, undefined);
    });
  }

  /** Takes in how the run itself says that a task stands. */
  private settle(task: string, { state: told, startedAt, endedAt, ...status }: TaskStatus, wait: OpenWait | undefined): TaskInstance[] {
    const before = this.tasks.get(task);
    if (!before) return [];
    const state = this.endedAt && !isFinal(told) ? 'canceled' : told;
    const { note: earlier, ...kept } = before;
    const note = status.note ?? (isFinal(state) ? undefined : earlier);
    const start = before.startedAt ?? dateOf(startedAt);
    const end = before.endedAt ?? dateOf(endedAt) ?? (start && this.endedAt);
    const settled = tidy({
      ...kept,
      wait,
      ...(note !== undefined && { note }),
      ...(status.error !== undefined && { error: status.error }),
      ...(status.output !== undefined && { output: status.output }),
      state,
      ...(start && { startedAt: start }),
      ...(end && { endedAt: end }),
      ...(wait && { wait }),
    });
    this.tasks.set(task, settled);
    return before.state === settled.state && before.note === settled.note ? [] : [settled];
  }

  private resultIn(payloads: Payloads): RunResult | undefined {
    return decode<RunResult>(payloads, this.reader);
  }

  private start(id: string, at: Date): TaskInstance[] {
    const task = this.plans.get(nameOf(id));
    return this.change(id, { state: task?.wait ? 'deferred' : 'running', startedAt: at });
  }

  private fail(id: string, at: Date, failure: Failure | null | undefined): TaskInstance[] {
    const { holdOnFailureMs, wait } = this.plans.get(nameOf(id)) ?? {};
    const error = messageOf(failure, this.reader);
    if (this.plans.get(nameOf(id))?.expand) return this.changeItem(id, error);
    if (holdOnFailureMs !== undefined) return this.change(id, { state: 'held', error });
    return this.change(id, wait?.softFail ? { state: 'skipped', endedAt: at, note: error } : { state: 'failed', endedAt: at, error });
  }

  /** @param error why an item failed; absent: it succeeded */
  private changeItem(id: string, error?: string): TaskInstance[] {
    const before = this.tasks.get(nameOf(id));
    const [item] = /(\[[^#/]*\])/.exec(id) ?? [];
    if (!before || item === undefined || (error === undefined && !before.failedItems)) return [];
    const others = (before.failedItems ?? []).filter((each) => each.item !== item);
    const failedItems = error === undefined ? others : [...others, { item, error }];
    this.tasks.set(before.task, { ...before, failedItems });
    return [];
  }

  private activityOf(attributes: { scheduledEventId?: { toString(): string } | null }): string {
    return this.scheduled.get(String(attributes.scheduledEventId)) ?? '';
  }

  /** The task, and the item, of a child workflow: its id ends in the run's own and that. */
  private childOf(workflowId: string | null | undefined): string {
    const id = workflowId ?? '';
    const at = id.indexOf(`${this.runId}/`);
    return at < 0 ? '' : id.slice(at + this.runId.length + 1);
  }

  /** @param id of an activity or a child; of an item only the start says something of the whole task */
  private change(id: string, change: Partial<TaskInstance>): TaskInstance[] {
    const task = nameOf(id);
    const before = this.tasks.get(task);
    if (!before) return [];
    const isPart = this.plans.get(task)?.expand !== undefined;
    if (isPart && change.state === 'success') return this.changeItem(id);
    if (isPart && (!(change.state === 'running' || change.state === 'deferred') || before.startedAt)) return [];
    const { note: earlier, ...kept } = before;
    const note = change.state === undefined || !isFinal(change.state) ? earlier : undefined;
    const after = tidy({ ...kept, ...(note !== undefined && { note }), ...change });
    this.tasks.set(task, after);
    return [after];
  }
}

/** The task of an activity or a child: `task`, `task#2` for a second round by hand, `task[17]` for an item, `task/3` for a part of a long list. */
function nameOf(id: string): string {
  return id.replace(/[[#/].*$/, '');
}

/** Leaves out what is not true of a task in its new state. */
function tidy({ endedAt, wait, error, ...task }: Omit<TaskInstance, 'wait'> & { readonly wait?: OpenWait | undefined }): TaskInstance {
  const hasEnded = isFinal(task.state);
  return {
    ...task,
    ...(error !== undefined && task.state !== 'success' && { error }),
    ...(hasEnded && endedAt && { endedAt }),
    ...(!hasEnded && wait && { wait }),
  };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

/** The message of the innermost failure: Temporal wraps what the task said. */
export function messageOf(failure: Failure | null | undefined, reader: PayloadConverter): string {
  if (!failure) return 'unknown failure';
  const inner = failure.cause && (failure.activityFailureInfo ?? failure.childWorkflowExecutionFailureInfo) ? failure.cause : failure;
  return defaultFailureConverter.failureToError(inner, reader).message;
}

function decode<T>(payloads: Payloads, reader: PayloadConverter): T | undefined {
  const [payload] = payloads?.payloads ?? [];
  return payload ? reader.fromPayload<T>(payload) : undefined;
}

function timeOf(event: HistoryEvent): Date {
  return new Date(Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6);
}
