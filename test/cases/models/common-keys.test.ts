import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { simulate } from '../../../cli/test/simulate.ts';
import { Compiler } from '../../../compiler/compile.ts';
import { TASK_COMMON } from '../../../compiler/schema/task-keys.ts';
import { resizePool } from '../../../temporal/pools/pools.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { poolId, poolName, slotsIdIn } from '../../../workflows/plan/slots/slot-messages.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';
import { tasksOf, toyAttempt, TOYS } from '../../support/toy-language.ts';
import { type Cell, COMMON_KEYS, EXPAND_KEYS, type Trace, type Works } from '../../workflows/run/common-keys.ts';
import { assertCase, casePlan } from '../../workflows/run/language-cases.ts';

const POOL = `keys_${randomUUID().slice(0, 8)}`;
const ROWS: readonly (readonly [key: string, row: Readonly<Record<string, Cell>>])[] = [
  ...Object.entries(COMMON_KEYS),
  ...Object.entries(EXPAND_KEYS).map(([key, row]) => [`expand.${key}`, row] as const),
];
const CELLS = ROWS.flatMap(([key, row]) => Object.entries(row).map(([kind, cell]) => ({ key, kind, cell })));
const WORKING = CELLS.flatMap(({ key, kind, cell }) => (cell === 'refused' ? [] : [{ title: `${key} of ${kind}: ${cell.tasks}`, cell }]));
const planOf = ({ tasks, given }: Works) => casePlan(tasks.replaceAll('some_pool', POOL), given ?? {});

/** A value for each key that some kind of task refuses, and a task of each kind to put it into. */
const VALUES: Readonly<Record<string, string>> = {
  inputs: 'b',
  outputs: 's3://lake/x',
  retries: '2',
  retry_delay: '1s',
  retry_exponential_backoff: '2',
  max_retry_delay: '1m',
  retry_policy: '[{on: execution_timeout, action: fail}]',
  execution_timeout: '1h',
  heartbeat_timeout: '1m',
  queue_timeout: '1m',
  queue: 'gpu',
  priority: '1',
  pool: 'small',
  pool_slots: '2',
  hold_on_failure: '1h',
  expand: '{over: [1]}',
  'expand.batch_size': '{over: [1], batch_size: 5}',
};
const TASKS: Readonly<Record<string, string>> = {
  activity: 'ok',
  items: 'ok with {expand: {over: [1]}}',
  wait: 'look',
  approval: 'approval with {prompt: Go?}',
  empty: 'empty',
  run_pipeline: 'run_pipeline with {dag_id: child}',
  start: 'run_pipeline with {dag_id: child, wait: false}',
};

describe('every key of tasks, for every kind of task', () => {
  it('is in the table: those of expand, too', () => {
    assert.deepEqual(Object.keys(EXPAND_KEYS).sort(), Object.keys(TASK_COMMON.expand.properties as object).sort());
  });

  describe('where it does nothing, is refused by name', () => {
    for (const { key, kind, cell } of CELLS) {
      if (cell !== 'refused') continue;
      it(`${key} of ${kind}`, () => {
        const [name = key] = key.split('.');
        const task = { ...tasksOf(`a: ${TASKS[kind]}`)[0], [name]: 'PLACE' };
        const text = stringify({ dag_id: 'toys', tasks: [{ name: 'b', type: 'ok' }, task] }).replace(
          'PLACE',
          VALUES[key] ?? assert.fail(key),
        );
        const files = [text, 'dag_id: child\ntasks: [{name: x, type: empty}]'].map((each, at) => ({ file: `${at}.yaml`, text: each }));
        const found = new Compiler(TOYS).compileAll(files).flatMap(({ diagnostics }) => diagnostics);
        const shown = found.map(({ code, message, hint }) => `${code} ${message} (${hint})`).join('\n');
        assert.equal(found.length, 1, shown);
        assert.match(
          shown,
          /^(SL211 '\w+' has no effect on a .*: .+\. \(.+\)|SL401 A \w+ task does not read data of another task\. \(.*\))$/,
        );
        assert.ok(found[0]?.sourceLine.includes(key.split('.').at(-1) ?? ''), shown);
      });
    }

    it('expand of an empty task leads to the task that works with the items', () => {
      const text = 'dag_id: toys\ntasks: [{name: a, type: empty, expand: {over: [1, 2]}}]';
      const found = new Compiler(TOYS).compile({ file: 'toys.yaml', text }).diagnostics.map(({ message, hint }) => `${message} (${hint})`);
      assert.deepEqual(found, [
        "'expand' has no effect on a task of type empty: an empty task does not use its item. (move it to the task that works with the items)",
      ]);
    });

    it('but not in default_args, which are for the other tasks', () => {
      const text =
        'dag_id: toys\ndefault_args: {retries: 2, pool: small, execution_timeout: 1h}\ntasks: [{name: a, type: ok}, {name: b, type: empty}]';
      assert.deepEqual(new Compiler(TOYS).compile({ file: 'toys.yaml', text }).diagnostics, []);
    });
  });

  describe('in the simulation', () => {
    for (const { title, cell } of WORKING) {
      it(title, async () => {
        const { result, attempts, tookMs } = await simulate(planOf(cell), {
          interval: SOME_DAY,
          script: ({ task, input }, attempt) => toyAttempt(task.type.replace('mute_look', 'ok'), input, attempt),
        });
        assertCase(result, cell.simulated ?? cell.expect);
        if (cell.simulated !== undefined) return;
        const [last] = [...attempts].flatMap(([id, count]) => (/^a(\[0\])?$/.test(id) ? [count] : []));
        if (cell.attempts !== undefined) assert.equal(last, cell.attempts);
        assert.ok(tookMs >= (cell.atLeast ?? 0), `${tookMs} ms`);
      });
    }
  });

  describe('on Temporal', function () {
    this.timeout('1m');
    const runs = new Map<Works, WorkflowHandle>();
    let worker: TestWorker;

    before(async function () {
      this.timeout('15m');
      const { environment } = await testStack(['temporal']);
      const mute = (): Promise<void> => Context.current().sleep('1h');
      worker = await startTestWorker(environment, { ...createActivities(TOYS, taskDependencies(environment)), mute, mute_look: mute });
      await resizePool(worker.client, worker.taskQueue, POOL, 2);
      await Promise.all(
        WORKING.map(async ({ cell }) => {
          const { pipelineRunId } = await startManualRun(worker.client, planOf(cell), worker.taskQueue, SOME_DAY, randomUUID());
          runs.set(cell, worker.client.workflow.getHandle(pipelineRunId));
        }),
      );
    });
    after(async () => {
      await worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, poolId(POOL))).terminate();
      await worker.close();
    });

    for (const { title, cell } of WORKING) {
      it(title, async () => {
        const run = runs.get(cell) ?? assert.fail('It was started.');
        assertCase(await resultOf(run), cell.expect);
        const { startTime, closeTime } = await run.describe();
        const tookMs = (closeTime?.getTime() ?? 0) - startTime.getTime();
        assert.ok(tookMs >= (cell.atLeast ?? 0), `${tookMs} ms`);
        if (cell.attempts !== undefined) assert.equal(await attemptsOf(run), cell.attempts);
        if (cell.trace) await assertTrace(run, cell.trace);
      });
    }
  });
});

async function resultOf(run: WorkflowHandle): Promise<RunResult> {
  try {
    return (await run.result()) as RunResult;
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
    return error.cause.details?.[0] as RunResult;
  }
}

/** Of the task's activity, or how many runs it has started. */
async function attemptsOf(run: WorkflowHandle): Promise<number | undefined> {
  const events = (await run.fetchHistory()).events ?? [];
  const children = events.filter(({ startChildWorkflowExecutionInitiatedEventAttributes: started }) => started).length;
  const last = events.findLast(({ activityTaskStartedEventAttributes: started }) => started);
  return children || (last?.activityTaskStartedEventAttributes?.attempt ?? undefined);
}

async function assertTrace(run: WorkflowHandle, trace: Trace): Promise<void> {
  const events = (await run.fetchHistory()).events ?? [];
  if (trace === 'asked a pool') {
    assert.ok(
      events.some(
        ({ signalExternalWorkflowExecutionInitiatedEventAttributes: sent }) => poolName(sent?.workflowExecution?.workflowId ?? '') === POOL,
      ),
    );
    return;
  }
  const asked = events.flatMap(
    ({ activityTaskScheduledEventAttributes: activity, startChildWorkflowExecutionInitiatedEventAttributes: child }) =>
      activity || child ? [(activity ?? child)?.priority?.priorityKey] : [],
  );
  assert.ok(asked.length > 0 && asked.every((key) => key === 1), String(asked));
}
