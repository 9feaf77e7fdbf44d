import { defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import type proto from '@temporalio/proto';
import type { Json } from '../workflows/plan/json.ts';
import { allTasks } from '../workflows/plan/plan.ts';
import type { RunInput, RunResult } from '../workflows/plan/run.ts';
import type { TaskState } from '../workflows/plan/task-state.ts';
import { decompress } from './codec.ts';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;
type Payloads = proto.temporal.api.common.v1.IPayloads | null | undefined;
type Failure = proto.temporal.api.failure.v1.IFailure;

/** A task in a run, as Temporal's records tell. */
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
}

/** Builds the tasks of a run from its history, event by event: for a finished run as for one that is being followed. */
export class TaskInstances {
  input: RunInput | undefined;
  result: RunResult | undefined;
  private readonly tasks = new Map<string, TaskInstance>();
  private readonly scheduled = new Map<string, string>();

  /** All tasks in the plan's order. */
  all(): TaskInstance[] {
    return [...this.tasks.values()];
  }

  get(task: string): TaskInstance | undefined {
    return this.tasks.get(task);
  }

  /** What Temporal knows only while it happens: a pending activity's attempt. */
  observe(task: string, change: Partial<TaskInstance>): void {
    const before = this.tasks.get(task);
    if (before) this.tasks.set(task, { ...before, ...change });
  }

  /** Takes one event in; returns the tasks that it changed. */
  add(event: HistoryEvent): TaskInstance[] {
    const at = timeOf(event);
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.input = decode<RunInput>(started.input);
      for (const { name, type, summary } of this.input ? allTasks(this.input.plan) : []) {
        const kept = this.input?.rerunOf?.kept[name];
        this.tasks.set(name, { task: name, type, summary, state: 'queued', attempt: 1, ...(kept && !kept.partial && kept) });
      }
      return [];
    }
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityId) {
      this.scheduled.set(String(event.eventId), scheduled.activityId);
      return this.change(scheduled.activityId, { state: 'running', startedAt: at });
    }
    const begun = event.activityTaskStartedEventAttributes;
    if (begun) return this.change(this.nameOf(begun), { startedAt: at, attempt: begun.attempt ?? 1 });
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed)
      return this.change(this.nameOf(completed), { state: 'success', endedAt: at, output: decode<Json>(completed.result) ?? null });
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) return this.change(this.nameOf(failed), { state: 'failed', endedAt: at, error: messageOf(failed.failure) });
    const canceled = event.activityTaskCanceledEventAttributes;
    if (canceled) return this.change(this.nameOf(canceled), { state: 'canceled', endedAt: at });
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (child?.workflowId)
      return this.change(child.workflowId.slice(child.workflowId.lastIndexOf('/') + 1), { state: 'running', startedAt: at });
    return this.finish(event);
  }

  /** At the end the run itself says how every task ended, those too that never became an activity. */
  private finish(event: HistoryEvent): TaskInstance[] {
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    this.result =
      decode<RunResult>(event.workflowExecutionCompletedEventAttributes?.result) ??
      decode<RunResult>(failure?.applicationFailureInfo?.details) ??
      this.result;
    if (!this.result) return [];
    return Object.entries(this.result.tasks).flatMap(([task, { state, error, note, output }]) => {
      const before = this.tasks.get(task);
      if (!before || (before.state === state && note === undefined)) return [];
      return this.change(task, {
        state,
        ...(error !== undefined && { error }),
        ...(note !== undefined && { note }),
        ...(output !== undefined && { output }),
        ...(before.startedAt && !before.endedAt && { endedAt: timeOf(event) }),
      });
    });
  }

  private nameOf(attributes: { scheduledEventId?: { toString(): string } | null }): string {
    return this.scheduled.get(String(attributes.scheduledEventId)) ?? '';
  }

  /**
   * @param id of an activity: `task`, `task#2` for a second round by hand, `task[17]` for one of its items; of an item only the start says
   *   something of the whole task
   */
  private change(id: string, change: Partial<TaskInstance>): TaskInstance[] {
    const task = id.replace(/[[#].*$/, '');
    if (id.includes('[') && (change.state !== 'running' || this.tasks.get(task)?.state === 'running')) return [];
    this.observe(task, change);
    const after = this.tasks.get(task);
    return after ? [after] : [];
  }
}

/** The message of the innermost failure: Temporal wraps what the task said. */
export function messageOf(failure: Failure | null | undefined): string {
  if (!failure) return 'unknown failure';
  const inner = failure.cause && failure.activityFailureInfo ? failure.cause : failure;
  return defaultFailureConverter.failureToError(inner, defaultPayloadConverter).message;
}

function decode<T>(payloads: Payloads): T | undefined {
  const [payload] = payloads?.payloads ?? [];
  return payload ? defaultPayloadConverter.fromPayload<T>(decompress(payload)) : undefined;
}

function timeOf(event: HistoryEvent): Date {
  return new Date(Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6);
}
