import type { PayloadConverter } from '@temporalio/common';
import type proto from '@temporalio/proto';
import { CANCEL_REQUEST, operationName } from '../../workflows/plan/runs/decision.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** An operator request to a run, from its history. */
export interface RunAct {
  readonly at: Date;
  /** `approve`, `reject`, `retry`, `skip`, `fail`, `mark-success`, `pause`, `resume`, `cancel`, `terminate`. */
  readonly act: string;
  /** Absent if it concerns the whole run. */
  readonly task?: string;
  readonly by: string;
  readonly reason?: string;
  /** The values of the form, for an approval that has one. */
  readonly form?: JsonObject;
}

/** The fields that are read from updates and signals of a run. */
interface ReadRequest {
  readonly task?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly comment?: string;
  readonly form?: JsonObject;
  /** For an approval. */
  readonly decision?: string;
  /** For a task on hold. */
  readonly action?: string;
}

/** Collects operator requests to a run from the events of its history, in order. */
export class RunActs {
  readonly all: RunAct[] = [];

  /** @param reader reads raw payloads from Temporal */
  constructor(private readonly reader: PayloadConverter) {}

  add(event: HistoryEvent): void {
    const at = new Date(Number(event.eventTime?.seconds ?? 0) * 1000);
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
    const signal = event.workflowExecutionSignaledEventAttributes;
    const cancel = event.workflowExecutionCancelRequestedEventAttributes;
    const terminated = event.workflowExecutionTerminatedEventAttributes;
    if (update) this.note(at, update.input?.name ?? '', readRequest(update.input?.args, this.reader), update.meta?.identity);
    else if (signal?.signalName === CANCEL_REQUEST.name) this.note(at, 'cancel', readRequest(signal.input, this.reader), signal.identity);
    else if (cancel && !this.all.some(({ act }) => act === 'cancel')) {
      const by = cancel.externalWorkflowExecution?.workflowId ?? cancel.identity;
      this.note(at, 'cancel', cancel.cause ? { reason: cancel.cause } : {}, by);
    } else if (terminated) this.note(at, 'terminate', terminated.reason ? { reason: terminated.reason } : {}, terminated.identity);
  }

  private note(at: Date, name: string, request: ReadRequest, identity: string | null | undefined): void {
    const { task, by = identity ?? 'unknown', decision, action, form } = request;
    const reason = request.comment ?? request.reason;
    this.all.push({
      at,
      act: decision ?? action ?? operationName(name),
      ...(task !== undefined && { task }),
      by,
      ...(reason ? { reason } : {}),
      ...(form && { form }),
    });
  }
}

function readRequest(args: proto.temporal.api.common.v1.IPayloads | null | undefined, reader: PayloadConverter): ReadRequest {
  const [payload] = args?.payloads ?? [];
  const value: unknown = payload ? reader.fromPayload(payload) : undefined;
  return typeof value === 'object' && value !== null ? value : {};
}
