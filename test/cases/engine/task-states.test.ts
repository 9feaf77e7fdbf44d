import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { before, describe, it } from 'mocha';
import { decideApproval, resolveHeldTask } from '../../../temporal/runs/decisions.ts';
import { followRun, readHistory, showRun } from '../../../temporal/runs/follow-run.ts';
import { cancelRun, operateTask } from '../../../temporal/runs/operations.ts';
import { resizePool } from '../../../temporal/pools/pools.ts';
import { SlaReader } from '../../../temporal/monitors/sla-reader.ts';
import { type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import { readEndedRun } from '../../../temporal/runs/reruns.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import type { TaskInstance } from '../../../temporal/runs/task-instance.ts';
import { isFinal } from '../../../workflows/plan/tasks/task-state.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { currentDetails, workerOfSuite } from '../../support/temporal-suite.ts';
import type { TestWorker } from '../../support/temporal-worker.ts';
import { casePlan, type Given } from '../../workflows/run/language-cases.ts';

const BEAT = 'heartbeat_timeout: 1s';

interface Case extends Given {
  readonly tasks: string;
  /** What people do while it runs: tried until the run accepts it. */
  readonly acts?: (worker: TestWorker, run: string) => readonly (() => Promise<unknown>)[];
}

/** Runs of every kind of task, each to its end. */
const ENDED: Readonly<Record<string, Case>> = {
  'activities that succeed, fail, are retried and follow a failure': {
    tasks:
      'a: ok; b: fail with {allow_failure: true}; c: flaky with {retries: 3, retry_delay: 1s}; d: ok after b; e: ok after b if all_done',
  },
  'empty tasks': { tasks: 'a: empty; b: empty after a; c: fail after b; d: empty after c' },
  'what is skipped': {
    tasks:
      'a: ok with {when: "false"}; b: ok after a; c: ok with {switch: {on: "outputs.c", cases: {x: [d]}, default: [e]}, give: x}; d: ok after c; e: ok after c',
  },
  'lists, nested and in batches, with and without items': {
    tasks:
      'a: ok with {expand: {over: [1, 2]}}; b: ok with {expand: {over: []}}; c: ok with {expand: {over: [1, 2, 3], batch_size: 2}}; d: fail with {expand: {over: [1, 2]}}; e: ok with {expand: {over: [1, 2], expand: {over: [3, 4], as: other}}}',
  },
  'pipelines that are started': {
    tasks:
      'a: run_pipeline with {dag_id: good}; b: run_pipeline with {dag_id: bad}; c: run_pipeline with {dag_id: good, expand: {over: [1, 2]}}; d: run_pipeline with {dag_id: good, wait: false}',
    pipelines: { good: 'x: ok', bad: 'x: fail' },
  },
  'approvals that are given, refused and run out of time': {
    tasks:
      'a: approval with {prompt: Go?}; b: approval with {prompt: Go?}; c: approval with {prompt: Go?, timeout: 1s}; d: ok after a; e: ok after b',
    acts: ({ client }, run) => [
      () => decideApproval(client, run, { task: 'a', decision: 'approve', by: 'ann' }),
      () => decideApproval(client, run, { task: 'b', decision: 'reject', by: 'ann' }),
    ],
  },
  'tasks on hold that are tried again, skipped and given up': {
    tasks:
      'a: fail with {hold_on_failure: 1h}; b: fail with {hold_on_failure: 1h}; c: fail with {hold_on_failure: 1h}; d: ok after b if none_failed; e: fail with {hold_on_failure: 1s}',
    acts: ({ client }, run) => [
      () => resolveHeldTask(client, run, { task: 'a', action: 'fail', by: 'ann' }),
      () => resolveHeldTask(client, run, { task: 'b', action: 'skip', by: 'ann' }),
      () => resolveHeldTask(client, run, { task: 'c', action: 'retry', by: 'ann' }),
      () => resolveHeldTask(client, run, { task: 'c', action: 'fail', by: 'ann' }),
    ],
  },
  'tasks that operators skip and mark': {
    tasks: `a: hang with {${BEAT}}; b: hang with {${BEAT}}; c: approval with {prompt: Go?}; d: hang with {${BEAT}, expand: {over: [1, 2]}}; e: ok after a if all_done`,
    acts: ({ client }, run) =>
      (['a skip', 'b mark-success', 'c mark-success', 'd skip'] as const).map((act) => {
        const [task = '', operation] = act.split(' ') as [string, 'skip'];
        return () => operateTask(client, run, operation, { task, by: 'ann' });
      }),
  },
  'a cancelled run, with what it had done, was doing and never began': {
    tasks: `a: ok; b: hang after a with {${BEAT}}; c: ok after b; d: approval with {prompt: Go?}; e: empty; f: hang with {${BEAT}, expand: {over: [1, 2]}}; g: run_pipeline with {dag_id: child}; h: fail with {hold_on_failure: 1h}; i: fail with {allow_failure: true}`,
    finally: 'z: ok',
    on_failure: 'y: ok',
    pipelines: { child: `x: hang with {${BEAT}}` },
    acts: ({ client }, run) => [
      async () => {
        const instances = (await readHistory(client, { pipelineRunId: run, temporalRunId: '' })).instances;
        for (const name of ['b', 'f', 'g', 'h']) assert.ok(instances.get(name)?.startedAt, name);
        assert.equal(instances.get('h')?.state, 'held');
      },
      () => cancelRun(client, run, { by: 'ann', reason: 'wrong day' }),
    ],
  },
};

describe('tasks are shown as their run has them', function () {
  this.timeout('1m');
  const worker = workerOfSuite();
  const pool = `states_${randomUUID().slice(0, 8)}`;
  before(() => resizePool(worker.client, worker.taskQueue, pool, 1));

  const start = (tasks: string, given: Given): Promise<RunReference> =>
    startManualRun(worker.client, casePlan(tasks, given), worker.taskQueue, SOME_DAY, randomUUID());

  for (const [title, { tasks, acts, ...given }] of Object.entries(ENDED)) {
    it(title, async () => {
      const { client } = worker;
      const run = await start(tasks, given);
      const handle = client.workflow.getHandle(run.pipelineRunId);
      const followed = followRun(client, run, { task: () => undefined }, AbortSignal.timeout(50_000));
      for (const act of acts?.(worker, run.pipelineRunId) ?? []) await eventually(act);
      const own = await ownStates(handle);
      const shown = await showRun(client, run);
      assert.deepEqual(statesOf(shown.instances.all()), own);
      assert.deepEqual(statesOf((await followed).tasks), own, 'as `sluice run --wait` follows it');
      const rerun = Object.entries((await readEndedRun(client, run.pipelineRunId)).tasks);
      assert.deepEqual(Object.fromEntries(rerun.map(([name, { state }]) => [name, state])), own, 'as `sluice rerun` reads it');
      for (const { task, state, startedAt, endedAt } of shown.instances.all()) {
        assert.ok(isFinal(state), `${task} has ended: ${state}`);
        if (state === 'success' || state === 'failed') assert.ok(startedAt && endedAt && startedAt <= endedAt, `${task} has its times`);
      }
    });
  }

  /** A task in each state that a task can be in while its run goes on. */
  const RUNNING = {
    done: 'ok',
    broken: 'fail with {allow_failure: true}',
    nothing: 'empty',
    passed: 'ok with {when: "false"}',
    after: 'ok after broken',
    works: `hang with {${BEAT}}`,
    later: 'ok after works',
    list: `hang with {${BEAT}, expand: {over: [1, 2]}}`,
    listed: 'ok with {expand: {over: [1, 2]}}',
    child: 'run_pipeline with {dag_id: child}',
    started: 'run_pipeline with {dag_id: child, wait: false}',
    asks: 'approval with {prompt: Go?, assignees: [ann], timeout: 2h}',
    held: 'fail with {hold_on_failure: 1h}',
    again: 'flaky with {retries: 3, retry_delay: 1h}',
    pooled: `ok with {pool: ${pool}}`,
  };
  const EXPECTED = {
    done: 'success',
    broken: 'failed',
    nothing: 'success',
    passed: 'skipped',
    after: 'upstream_failed',
    works: 'running',
    later: 'queued',
    list: 'running',
    listed: 'success',
    child: 'running',
    started: 'success',
    asks: 'deferred',
    held: 'held',
    again: 'up_for_retry',
    pooled: 'queued',
  };

  it('while the run is active; and when no worker answers, from its history', async () => {
    const { client } = worker;
    const holder = await start(`a: hang with {${BEAT}, pool: ${pool}}`, {});
    await eventually(async () => assert.equal((await showRun(client, holder)).instances.get('a')?.state, 'running'));
    const tasks = Object.entries(RUNNING).map(([name, text]) => `${name}: ${text}`);
    const run = await start(tasks.join('; '), { pipelines: { child: `x: hang with {${BEAT}}` } });
    const handle = client.workflow.getHandle(run.pipelineRunId);
    const stop = new AbortController();
    const followed: Record<string, string> = {};
    const following = followRun(client, run, { task: ({ task, state }) => void (followed[task] = state) }, stop.signal).catch(
      () => undefined,
    );
    try {
      await eventually(async () => assert.deepEqual(statesOf((await showRun(client, run)).instances.all()), EXPECTED));
      await eventually(() => {
        const { later, pooled, ...said } = EXPECTED;
        assert.deepEqual({ ...followed, later, pooled }, { ...said, later, pooled });
        return Promise.resolve();
      });
      const { instances } = await showRun(client, run);
      const board = await boardStates(handle);
      assert.deepEqual(board, { ...EXPECTED, again: 'running' }, 'the run does not see attempts; all else is as it says itself');
      const { wait } = instances.get('asks') ?? {};
      assert.deepEqual([wait?.prompt, wait?.assignees, (wait?.until ?? 0) - (wait?.since ?? 0)], ['Go?', ['ann'], 2 * 3_600_000]);
      assert.match(String(instances.get('held')?.wait?.error), /broke|the reason/);
      const noWorker = statesOf((await readHistory(client, run)).instances.all());
      // What leaves no events is not known then, and not claimed.
      const unknown = { nothing: 'queued', passed: 'queued', after: 'queued', asks: 'queued', listed: 'running', again: 'running' };
      assert.deepEqual(noWorker, { ...EXPECTED, ...unknown });
      const slas = [
        { name: 'soon', task: 'nothing', promise: { kind: 'within', ms: 1, reference: 'started_at' }, suppressWhen: [] },
      ] as const;
      const plan = { ...casePlan(tasks.join('; '), { pipelines: { child: 'x: ok' } }), slas };
      const queuedAt = Date.now() - 10_000;
      const read = await new SlaReader(client).read({ ...run, cause: 'manual', state: 'running', queuedAt }, plan, Date.now());
      const promised = Object.fromEntries((read.tasks ?? []).map(({ task, hasEnded }) => [task, hasEnded]));
      assert.deepEqual(promised, Object.fromEntries(Object.entries(EXPECTED).map(([name, state]) => [name, isFinal(state as 'success')])));
      const times = new Map((read.tasks ?? []).map(({ task, startedAt }) => [task, startedAt]));
      for (const name of ['list', 'child', 'asks', 'held']) assert.ok(times.get(name), `${name} has started`);
      await handle.terminate();
      await eventually(async () => {
        const ended = await showRun(client, run);
        for (const { task, state } of ended.instances.all()) assert.ok(isFinal(state), `${task} has ended with its run: ${state}`);
        assert.deepEqual(
          ['asks', 'nothing', 'works'].map((name) => ended.instances.get(name)?.state),
          ['canceled', 'success', 'canceled'],
        );
      });
    } finally {
      stop.abort();
      await following;
      await handle.terminate().catch(() => undefined);
      await client.workflow.getHandle(holder.pipelineRunId).terminate();
    }
  });
});

function statesOf(tasks: readonly TaskInstance[]): Record<string, string> {
  return Object.fromEntries(tasks.map(({ task, state }) => [task, state]));
}

/** How a run that has ended says that its tasks ended: its result, or, of a cancelled run, its table. */
async function ownStates(handle: WorkflowHandle): Promise<Record<string, string>> {
  const result = (await handle.result().catch((error: { cause?: { details?: unknown[] } }) => error.cause?.details?.[0])) as
    RunResult | undefined;
  if (result) return Object.fromEntries(Object.entries(result.tasks).map(([name, { state }]) => [name, state]));
  const board = await boardStates(handle);
  // What was to follow the end of the run was not begun, and the run has ended.
  return Object.fromEntries(Object.entries(board).map(([name, state]) => [name, state === 'queued' ? 'canceled' : state]));
}

async function boardStates(handle: WorkflowHandle): Promise<Record<string, string>> {
  const details = await eventually(() => handle.client.withDeadline(Date.now() + 1000, () => currentDetails(handle)));
  const table = /```text\n([^]*?)\n(?:\n|```)/.exec(details)?.[1] ?? '';
  return Object.fromEntries([...table.matchAll(/^\S ([\w.]+) +(\w+)/gm)].map(([, name = '', state = '']) => [name, state]));
}
