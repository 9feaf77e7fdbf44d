import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { linkedController } from '../lib/linked-controller.ts';
import { describeRun, type RunReference } from './runs.ts';
import { messageOf, type TaskInstance, TaskInstances } from './task-instances.ts';

const { EventType, PendingActivityState } = proto.temporal.api.enums.v1;

/** What `followRun` tells as it happens. */
export interface RunFollower {
  task(instance: TaskInstance, progress?: unknown): void;
}

/** How a followed run ended. */
export interface RunEnd {
  readonly state: string;
  readonly tasks: readonly TaskInstance[];
  readonly error?: string;
}

/** How often the attempts and the progress of running tasks are looked up, in milliseconds. */
const PENDING_INTERVAL = 1000;

/**
 * Follows a run to its end, or until `signal` is aborted: the history by long poll, attempts and progress of running tasks by description.
 * A restart of the server in the middle is waited out.
 */
export async function followRun(client: Client, run: RunReference, follower: RunFollower, signal: AbortSignal): Promise<RunEnd> {
  const instances = new TaskInstances();
  const ended = linkedController(signal);
  const pending = watchPending(client, run, instances, follower, ended.signal);
  try {
    let error: string | undefined;
    for await (const event of historyEvents(client, run, signal)) {
      for (const instance of instances.add(event)) follower.task(instance);
      const failure = event.workflowExecutionFailedEventAttributes?.failure;
      if (failure) error = messageOf(failure);
    }
    const { state } = await describeRun(client, run);
    return { state, tasks: instances.all(), ...(error !== undefined && { error }) };
  } finally {
    ended.abort();
    await pending;
  }
}

/** The tasks of a run as they stand now. @throws RunNotFound */
export async function showRun(client: Client, run: RunReference): Promise<{ instances: TaskInstances; error?: string }> {
  const instances = new TaskInstances();
  const handle = client.workflow.getHandle(run.pipelineRunId, run.temporalRunId);
  const { events } = await handle.fetchHistory();
  let error: string | undefined;
  for (const event of events ?? []) {
    instances.add(event);
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    if (failure) error = messageOf(failure);
  }
  await observePending(client, run, instances);
  return { instances, ...(error !== undefined && { error }) };
}

async function* historyEvents(client: Client, run: RunReference, signal: AbortSignal) {
  const { namespace } = client.options;
  let nextPageToken: Uint8Array = new Uint8Array();
  for (;;) {
    const page = await persist(signal, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: run.pipelineRunId, runId: run.temporalRunId },
        waitNewEvent: true,
        nextPageToken,
      }),
    );
    yield* page.history?.events ?? [];
    if (page.history?.events?.some((event) => CLOSING.has(event.eventType ?? 0))) return;
    nextPageToken = page.nextPageToken;
  }
}

const CLOSING: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

/** Repeats `call` while the server is away: following must outlive its restart. */
async function persist<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await abortable(signal, call());
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      await pause(PENDING_INTERVAL, signal);
    }
  }
}

/** gRPC's DEADLINE_EXCEEDED (a long poll without news) and UNAVAILABLE. */
function isTransient(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 4 || code === 14;
}

async function watchPending(
  client: Client,
  run: RunReference,
  instances: TaskInstances,
  follower: RunFollower,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const { instance, progress } of await observePending(client, run, instances)) follower.task(instance, progress);
    } catch {
      // The long poll beside this one reports what is wrong with the server.
    }
    await pause(PENDING_INTERVAL, signal);
  }
}

async function observePending(
  client: Client,
  run: RunReference,
  instances: TaskInstances,
): Promise<{ instance: TaskInstance; progress?: unknown }[]> {
  const { raw } = await client.workflow.getHandle(run.pipelineRunId, run.temporalRunId).describe();
  return (raw.pendingActivities ?? []).flatMap((activity) => {
    const task = activity.activityId ?? '';
    const retrying = activity.state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED && (activity.attempt ?? 1) > 1;
    instances.observe(task, {
      state: retrying ? 'up_for_retry' : activity.state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED ? 'queued' : 'running',
      attempt: activity.attempt ?? 1,
      ...(activity.lastFailure && { error: messageOf(activity.lastFailure) }),
    });
    const instance = instances.get(task);
    const [heartbeat] = activity.heartbeatDetails?.payloads ?? [];
    return instance ? [{ instance, ...(heartbeat?.data && { progress: parse(heartbeat.data) }) }] : [];
  });
}

function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** `work`, or the signal's reason as soon as it is aborted. */
function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
