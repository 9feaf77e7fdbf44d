import { defaultFailureConverter, type PayloadConverter } from '@temporalio/common';
import type proto from '@temporalio/proto';
import { type RunInput, runInputOf, type RunResult } from '../../workflows/plan/runs/run.ts';
import type { Json } from '../../workflows/plan/values/json.ts';

export type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;
type Payloads = proto.temporal.api.common.v1.IPayloads | null | undefined;
type Failure = proto.temporal.api.failure.v1.IFailure;

/** What one event of a run's history says about tasks. `id` is the id of an activity, or of a child within the run: `task`, `task[17]`. */
export type HistoryFact = { readonly at: Date } & (
  | { readonly kind: 'run started'; readonly input: RunInput | undefined }
  | { readonly kind: 'scheduled'; readonly id: string }
  | { readonly kind: 'attempt'; readonly id: string; readonly attempt: number }
  /** A task started another pipeline, and may wait for it to end. */
  | { readonly kind: 'child started'; readonly id: string }
  | { readonly kind: 'succeeded'; readonly id: string; readonly output?: Json }
  | { readonly kind: 'failed'; readonly id: string; readonly error: string }
  | { readonly kind: 'canceled'; readonly id: string }
  | { readonly kind: 'run ended'; readonly result: RunResult | undefined }
);

/** Reads the history of a run, starting with its first event. */
export class HistoryFacts {
  /** Ids of activities, by the events that scheduled them. */
  private readonly scheduled = new Map<string, string>();
  private runId = '';

  /** @param reader reads raw payloads from Temporal */
  constructor(private readonly reader: PayloadConverter) {}

  /** @returns undefined for an event that does not concern tasks */
  read(event: HistoryEvent): HistoryFact | undefined {
    const at = timeOf(event);
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.runId = started.workflowId ?? '';
      return { kind: 'run started', at, input: runInputOf(decode(started.input, this.reader)) };
    }
    return this.ofActivity(event, at) ?? this.ofChild(event, at) ?? this.ofEnd(event, at);
  }

  private ofActivity(event: HistoryEvent, at: Date): HistoryFact | undefined {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityId) {
      this.scheduled.set(String(event.eventId), scheduled.activityId);
      return { kind: 'scheduled', at, id: scheduled.activityId };
    }
    const began = event.activityTaskStartedEventAttributes;
    if (began) return { kind: 'attempt', at, id: this.activityOf(began), attempt: began.attempt ?? 1 };
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) {
      return { kind: 'succeeded', at, id: this.activityOf(completed), output: decode<Json>(completed.result, this.reader) ?? null };
    }
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) return { kind: 'failed', at, id: this.activityOf(failed), error: messageOf(failed.failure, this.reader) };
    const canceled = event.activityTaskCanceledEventAttributes;
    return canceled ? { kind: 'canceled', at, id: this.activityOf(canceled) } : undefined;
  }

  private ofChild(event: HistoryEvent, at: Date): HistoryFact | undefined {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) return { kind: 'scheduled', at, id: this.childOf(initiated.workflowId) };
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started) return { kind: 'child started', at, id: this.childOf(started.workflowExecution?.workflowId) };
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    if (completed) return { kind: 'succeeded', at, id: this.childOf(completed.workflowExecution?.workflowId) };
    const failed = event.childWorkflowExecutionFailedEventAttributes;
    if (failed) {
      const id = this.childOf(failed.workflowExecution?.workflowId);
      return { kind: 'failed', at, id, error: messageOf(failed.failure, this.reader) };
    }
    const refused = event.startChildWorkflowExecutionFailedEventAttributes;
    if (refused) {
      return { kind: 'failed', at, id: this.childOf(refused.workflowId), error: 'the run could not be started: it exists already' };
    }
    const lost = event.childWorkflowExecutionTimedOutEventAttributes ?? event.childWorkflowExecutionTerminatedEventAttributes;
    if (lost) return { kind: 'failed', at, id: this.childOf(lost.workflowExecution?.workflowId), error: 'the run was ended from outside' };
    const canceled = event.childWorkflowExecutionCanceledEventAttributes;
    return canceled ? { kind: 'canceled', at, id: this.childOf(canceled.workflowExecution?.workflowId) } : undefined;
  }

  /** A run reports the final states of all tasks when it ends, unless it was cancelled or terminated. */
  private ofEnd(event: HistoryEvent, at: Date): HistoryFact | undefined {
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    const completed = event.workflowExecutionCompletedEventAttributes;
    const hasEnded =
      failure ??
      completed ??
      event.workflowExecutionCanceledEventAttributes ??
      event.workflowExecutionTerminatedEventAttributes ??
      event.workflowExecutionTimedOutEventAttributes;
    if (!hasEnded) return undefined;
    const result = this.resultIn(completed?.result) ?? this.resultIn(failure?.applicationFailureInfo?.details);
    return { kind: 'run ended', at, result };
  }

  private resultIn(payloads: Payloads): RunResult | undefined {
    return decode<RunResult>(payloads, this.reader);
  }

  private activityOf(attributes: { scheduledEventId?: { toString(): string } | null }): string {
    return this.scheduled.get(String(attributes.scheduledEventId)) ?? '';
  }

  /** The task and item of a child workflow: its id is the run's id with their names appended. */
  private childOf(workflowId: string | null | undefined): string {
    const id = workflowId ?? '';
    const at = id.indexOf(`${this.runId}/`);
    return at < 0 ? '' : id.slice(at + this.runId.length + 1);
  }
}

/** The message of the innermost failure, which Temporal wraps. */
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
