import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from './eventually.ts';
import { SOME_DAY } from './plans.ts';
import type { TestWorker } from './temporal-worker.ts';
import type { ToyClock } from './toy-clock.ts';
import { currentDetails } from './temporal-suite.ts';

/** `PENDING_ACTIVITY_STATE_STARTED` of Temporal's API: not waiting for a worker, and not requested to cancel. */
const STARTED = 2;

/** An operator request to a run, in milliseconds of the toys' clock after its start. */
export interface TimedAct {
  readonly atMs: number;
  act(handle: WorkflowHandle): Promise<unknown>;
}

/**
 * Runs a plan of toys on Temporal: time only advances when nothing else can happen, as on the simulated host.
 * @returns the result of its workflow or, for a cancelled run, of its task table
 */
export async function runToys(
  worker: TestWorker,
  clock: ToyClock,
  plan: Plan,
  acts: readonly TimedAct[],
  params?: JsonObject,
): Promise<RunResult> {
  const { client } = worker;
  const { pipelineRunId } = await startManualRun(client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params);
  const handle = client.workflow.getHandle(pipelineRunId);
  const began = clock.now;
  const pooled = plan.tasks.find(({ pool }) => pool);
  if (pooled)
    await eventually(async () =>
      assert.ok(clock.isWaiting(pipelineRunId, `${pooled.name}${pooled.expand ? '[0]' : ''}`), 'it has its slot'),
    );
  for (const { atMs, act } of [...acts].sort((a, b) => a.atMs - b.atMs)) {
    await pass(client, clock, pipelineRunId, began + atMs);
    await act(handle);
  }
  await pass(client, clock, pipelineRunId, Infinity);
  try {
    return (await handle.result()) as RunResult;
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError, String(error));
    if (error.cause instanceof ApplicationFailure && error.cause.details?.length) return error.cause.details[0] as RunResult;
    return { state: 'canceled', interval: SOME_DAY, tasks: await tasksOfBoard(handle) };
  }
}

/** Advances time to `until`, or until the run ends. */
async function pass(client: Client, clock: ToyClock, runId: string, until: number): Promise<void> {
  for (;;) {
    const next = await eventually(async () => {
      const workflows = await atRest(client, clock, runId);
      const at = clock.next(workflows);
      // A message between workflows is briefly in transit, and visible in neither.
      assert.ok(until < Infinity || workflows.size === 0 || at !== undefined, `${runId} waits for an event that cannot happen`);
      return at;
    });
    if (next === undefined || next > until) {
      if (until < Infinity) clock.now = Math.max(clock.now, until);
      return;
    }
    clock.now = Math.max(clock.now, next);
  }
}

/** Fails while the run can make progress without time passing. @returns the ids of its open workflows */
async function atRest(client: Client, clock: ToyClock, workflowId: string): Promise<Set<string>> {
  const { status, raw } = await client.workflow.getHandle(workflowId).describe();
  if (status.name !== 'RUNNING') return new Set();
  assert.ok(!raw.pendingWorkflowTask, 'it considers what to do');
  for (const { activityId, state } of raw.pendingActivities ?? []) {
    assert.equal(state, STARTED, `${activityId} begins, or is being cancelled`);
    assert.ok(clock.isWaiting(workflowId, activityId ?? ''), `${activityId} ends`);
  }
  const found = new Set([workflowId]);
  for (const child of raw.pendingChildren ?? []) for (const each of await atRest(client, clock, child.workflowId ?? '')) found.add(each);
  // A toy that was released meanwhile is about to complete.
  const next = clock.next(found);
  assert.ok(next === undefined || next > clock.now, 'a toy ends');
  return found;
}

/** A cancelled workflow has no result, so read its task table. */
async function tasksOfBoard(handle: WorkflowHandle): Promise<RunResult['tasks']> {
  const table = /```text\n([^]*?)\n(?:\n|```)/.exec(await currentDetails(handle))?.[1] ?? '';
  const rows = [...table.matchAll(/^\S ([\w.]+) +(\w+)/gm)].map(
    ([, name = '', state = '']) => [name, { state: state as 'success' }] as const,
  );
  // A task that has not started has no result.
  return Object.fromEntries(rows.filter(([, { state }]) => (state as string) !== 'queued'));
}
