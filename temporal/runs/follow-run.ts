import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { linkedController } from '../../lib/linked-controller.ts';
import type { RunInput } from '../../workflows/plan/runs/run.ts';
import { ACTIVITY_UNKNOWN } from '../../workflows/plan/worker-check.ts';
import { codecOf, payloadReader } from '../codec/codec.ts';
import { type RunAct, RunActs } from './run-acts.ts';
import { describeRun, type RunReference } from './runs.ts';
import { messageOf } from './history-facts.ts';
import type { TaskInstance } from './task-instance.ts';
import { TaskInstances } from './task-instances.ts';
import { askTaskTable } from './task-table.ts';

const { EventType, PendingActivityState } = proto.temporal.api.enums.v1;

/** Callbacks of `followRun`. */
export interface RunFollower {
  task(instance: TaskInstance, progress?: unknown): void;
}

/** The result of a followed run. */
export interface RunEnd {
  readonly state: string;
  /** It succeeded without some items of its lists. */
  readonly isPartial?: true;
  readonly tasks: readonly TaskInstance[];
  readonly error?: string;
}

/** Interval for reading attempts and progress of running tasks, in milliseconds. */
const PENDING_INTERVAL = 1000;

/**
 * Follows a run until it ends or `signal` is aborted: the history by long poll, and once a second the run's task table, and attempts and
 * progress of running tasks. Survives a restart of the server.
 */
export async function followRun(client: Client, run: RunReference, follower: RunFollower, signal: AbortSignal): Promise<RunEnd> {
  const reader = payloadReader(codecOf(client));
  const instances = new TaskInstances(reader);
  const ended = linkedController(signal);
  const pending = watchPending(client, run, instances, follower, ended.signal);
  let error: string | undefined;
  try {
    for await (const event of historyEvents(client, run, signal)) {
      for (const instance of instances.add(event)) follower.task(instance);
      const failure = event.workflowExecutionFailedEventAttributes?.failure;
      if (failure) error = messageOf(failure, reader);
    }
  } finally {
    ended.abort();
    await pending;
  }
  for (const instance of await completeTable(client, run, instances)) follower.task(instance);
  const { state, isPartial } = await describeRun(client, run);
  return { state, ...(isPartial && { isPartial }), tasks: instances.all(), ...(error !== undefined && { error }) };
}

/** The current state of a run. */
export interface ShownRun {
  readonly instances: TaskInstances;
  readonly error?: string;
  /** Operator requests, in order. */
  readonly acts: readonly RunAct[];
  /** Who or what started it: a person, a run or a backfill. */
  readonly startedBy: string;
  /** Whether the run itself reported its task states; otherwise no worker answered, and they come from its history. */
  readonly isExact: boolean;
}

/** Returns the current tasks of a run. @throws RunNotFound */
export async function showRun(client: Client, run: RunReference): Promise<ShownRun> {
  const { instances, ...read } = await readHistory(client, run);
  await completeTable(client, run, instances);
  await observePending(client, run, instances);
  const isExact = instances.result !== undefined || instances.table !== undefined;
  return { instances, isExact, ...read };
}

/** Reads the tasks of a run from its history alone. @throws RunNotFound */
export async function readHistory(client: Client, run: RunReference): Promise<Omit<ShownRun, 'isExact'>> {
  const reader = payloadReader(codecOf(client));
  const instances = new TaskInstances(reader);
  const acts = new RunActs(reader);
  const handle = client.workflow.getHandle(run.pipelineRunId, run.temporalRunId);
  const { events } = await handle.fetchHistory();
  let error: string | undefined;
  for (const event of events ?? []) {
    instances.add(event);
    acts.add(event);
    const failure = event.workflowExecutionFailedEventAttributes?.failure;
    if (failure) error = messageOf(failure, reader);
  }
  const startedBy = starterOf(instances.input, events?.[0]?.workflowExecutionStartedEventAttributes);
  return { instances, acts: acts.all, startedBy, ...(error !== undefined && { error }) };
}

function starterOf(input: RunInput | undefined, started: Started | null | undefined): string {
  const asked = input?.by ?? started?.parentWorkflowExecution?.workflowId;
  if (asked) return asked;
  if (input?.cause === 'scheduled') return 'its schedule';
  return input?.event ? `its ${input.cause} trigger` : (started?.identity ?? 'unknown');
}

type Started = proto.temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** Queries the run for what its history lacks; a completed run has left a result. @returns the tasks that this changed */
async function completeTable(client: Client, run: RunReference, instances: TaskInstances): Promise<TaskInstance[]> {
  if (instances.result) return [];
  const table = await askTaskTable(client, run, { outputs: true });
  return table ? instances.apply(table) : [];
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

/** Retries `call` during an outage of the server, so that following survives a restart. */
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

/** gRPC's DEADLINE_EXCEEDED (a long poll without events) and UNAVAILABLE. */
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
      const table = await askTaskTable(client, run, { outputs: false });
      const changed = new Set((table ? instances.apply(table) : []).map(({ task }) => task));
      const progress = await observePending(client, run, instances);
      for (const { task } of instances.all()) {
        const instance = instances.get(task);
        if (instance && (changed.has(task) || progress.has(task))) follower.task(instance, progress.get(task));
      }
    } catch {
      // The concurrent long poll reports server errors.
    }
    await pause(PENDING_INTERVAL, signal);
  }
}

/** @returns the tasks with a pending activity, each with its last heartbeat */
async function observePending(client: Client, run: RunReference, instances: TaskInstances): Promise<Map<string, unknown>> {
  const { raw } = await client.workflow.getHandle(run.pipelineRunId, run.temporalRunId).describe();
  const reader = payloadReader(codecOf(client));
  const observed = new Map<string, unknown>();
  for (const activity of raw.pendingActivities ?? []) {
    const attempt = activity.attempt ?? 1;
    const isScheduled = activity.state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;
    const instance = instances.observe({
      id: activity.activityId ?? '',
      attempt,
      isRetrying: isScheduled && attempt > 1,
      isStarted: !isScheduled,
      ...(activity.lastFailure && { lastFailure: messageOf(activity.lastFailure, reader) }),
      isUnknown: activity.lastFailure?.applicationFailureInfo?.type === ACTIVITY_UNKNOWN,
    });
    const [heartbeat] = activity.heartbeatDetails?.payloads ?? [];
    if (instance) observed.set(instance.task, heartbeat && reader.fromPayload(heartbeat));
  }
  return observed;
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

/** Resolves with `work`, or rejects with the signal's reason when it is aborted. */
function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
