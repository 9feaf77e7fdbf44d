import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { describeRun, type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { poolId, runSlotsId, SLOTS_QUERY, SLOTS_WORKFLOW, slotsIdIn, type SlotsInput } from '../../workflows/plan/slots/slot-messages.ts';
import type { SlotState } from '../../workflows/plan/slots/slots.ts';
import { operateRun } from '../../temporal/runs/operations.ts';
import { listPools, resizePool } from '../../temporal/pools/pools.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { toyActivities } from '../support/toy-activities.ts';
import { currentDetails } from '../support/temporal-suite.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';

/** The SDK sends heartbeats on after 80 % of this. */
const QUICK = { heartbeatTimeoutMs: 1000 };

describe('slots on Temporal', function () {
  this.timeout('2m');
  let worker: TestWorker;
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, toyActivities);
  });
  after(() => worker.close());

  const unique = (name: string): string => `${name}_${randomUUID().slice(0, 8)}`;
  const start = (plan: Plan, params?: JsonObject): Promise<RunReference> =>
    startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID(), params);
  const slots = (id: string): Promise<SlotState> => worker.client.workflow.getHandle(slotsIdIn(worker.taskQueue, id)).query(SLOTS_QUERY);
  const handle = ({ pipelineRunId }: RunReference) => worker.client.workflow.getHandle(pipelineRunId);
  const stateOf = async (run: RunReference): Promise<unknown> =>
    (await handle(run).describe()).typedSearchAttributes.getAll().find(({ key }) => key.name === 'SluiceState')?.value;
  const hanging = (limits: Partial<Plan>): Plan => ({ ...planOf(unique('limited'), [task('a', 'hang', [], QUICK)]), ...limits });
  const isActive = (plan: Plan, runs: readonly RunReference[], waiting: number): Promise<void> =>
    eventually(async () => {
      const state = await slots(runSlotsId(plan.dagId));
      assert.deepEqual(
        [state.holders.map(({ workflowId }) => workflowId), state.waiting.length],
        [runs.map(({ pipelineRunId }) => pipelineRunId), waiting],
      );
    });
  /** A run is called running before it has asked for its slot. */
  const hasSlot = (plan: Plan): Promise<void> =>
    eventually(async () => assert.equal((await slots(runSlotsId(plan.dagId, '*'))).holders.length, 1));

  describe('max_active_runs', () => {
    it('lets a limited number of runs start; the others wait in order, visibly, and follow however the first ends', async () => {
      const plan = hanging({ maxActiveRuns: 1 });
      const first = await start(plan);
      await isActive(plan, [first], 0);
      const second = await start(plan);
      await isActive(plan, [first], 1);
      const third = await start(plan);
      await isActive(plan, [first], 2);
      const fourth = await start(plan);
      await isActive(plan, [first], 3);
      await eventually(async () => assert.equal(await stateOf(second), 'queued'));
      assert.match(await currentDetails(handle(second)), /waits for its turn \(at most 1 runs/);

      await operateRun(worker.client, second.pipelineRunId, 'pause', { by: 'ann' });
      await operateRun(worker.client, second.pipelineRunId, 'unpause', { by: 'ann' });
      await eventually(async () => assert.equal(await stateOf(second), 'queued', 'it waits as before'));

      await handle(first).cancel();
      await isActive(plan, [second], 2);
      await eventually(async () => assert.equal(await stateOf(second), undefined, 'it runs: Temporal says so itself'));
      // It tells nobody.
      await operateRun(worker.client, third.pipelineRunId, 'pause', { by: 'ann' });
      await handle(second).terminate('as if by hand');
      await isActive(plan, [third], 1);
      await eventually(async () => assert.match(await currentDetails(handle(third)), /0 of 1 tasks done/));
      assert.equal(await stateOf(third), 'paused', 'its turn has come, and it waits all the same');
      // One that gives up its place.
      await handle(fourth).cancel();
      await isActive(plan, [third], 0);
      await eventually(async () => assert.equal((await describeRun(worker.client, fourth)).state, 'canceled'));
      assert.equal(await stateOf(fourth), undefined, 'what has ended is not queued');
      await handle(third).cancel();
      await isActive(plan, [], 0);
    });

    it('never has more active than allowed, and runs all of them', async () => {
      const plan: Plan = { ...planOf(unique('limited'), [task('a', 'succeed'), task('b', 'succeed', ['a'])]), maxActiveRuns: 3 };
      const runs = await Promise.all(Array.from({ length: 20 }, () => start(plan)));
      let most = 0;
      let open = true;
      const watching = (async () => {
        while (open) most = Math.max(most, (await slots(runSlotsId(plan.dagId)).catch(() => undefined))?.holders.length ?? 0);
      })();
      const ended = await Promise.all(runs.map((run) => handle(run).result() as Promise<RunResult>));
      open = false;
      await watching;
      assert.deepEqual(new Set(ended.map(({ state }) => state)), new Set(['success']));
      assert.ok(most <= 3 && most > 1, `${most} at once`);
    });
  });

  describe('concurrency', () => {
    it('skip: a run that exceeds the limit ends with all its tasks skipped, and shows why', async () => {
      const plan = hanging({ concurrency: { limit: 1, onOverlap: 'skip' } });
      const first = await start(plan);
      await hasSlot(plan);
      const { state, tasks } = (await handle(await start(plan)).result()) as RunResult;
      assert.deepEqual([state, tasks.a?.state], ['success', 'skipped']);
      assert.match(tasks.a?.note ?? '', /limit reached: at most 1 runs/);
      await handle(first).cancel();
    });

    it('cancel_new and cancel_running: one of the two ends as cancelled', async () => {
      for (const [onOverlap, survivor] of [
        ['cancel_new', 0],
        ['cancel_running', 1],
      ] as const) {
        const plan = hanging({ concurrency: { limit: 1, onOverlap } });
        const first = await start(plan);
        await hasSlot(plan);
        const runs = [first, await start(plan)];
        const [other = first] = runs.filter((_, index) => index !== survivor);
        await handle(other)
          .result()
          .catch((error: unknown) => assert.ok(error instanceof WorkflowFailedError));
        assert.equal((await describeRun(worker.client, other)).state, 'canceled');
        const [left = first] = runs.filter((_, index) => index === survivor);
        await eventually(async () => assert.equal(await stateOf(left), undefined));
        await handle(left).cancel();
      }
    });
  });

  describe('a pool', () => {
    it('is shared by all pipelines, and holds what it has; a task shows what it waits for', async () => {
      const name = unique('pool');
      const plan = (dagId: string): Plan => planOf(unique(dagId), [task('a', 'hang', [], { ...QUICK, pool: { name, slots: 1 } })]);
      const runs = [await start(plan('one')), await start(plan('two'))];
      const state = (): Promise<SlotState> => slots(poolId(name));
      await eventually(async () => assert.equal((await state()).waiting.length, 2));
      const [first, second] = runs as [RunReference, RunReference];
      assert.match(await currentDetails(handle(first)), new RegExp(`queued +waits for pool ${name}`));
      await resizePool(worker.client, worker.taskQueue, name, 1);
      await eventually(async () => assert.deepEqual([(await state()).holders.length, (await state()).waiting.length], [1, 1]));
      const holder = (await state()).holders[0]?.workflowId === first.pipelineRunId ? first : second;
      await handle(holder).terminate('as if by hand');
      await eventually(async () => assert.deepEqual((await state()).waiting, []));
      await handle(holder === first ? second : first).cancel();
      await eventually(async () => assert.deepEqual((await state()).holders, []));
    });

    it('and the runs of a pipeline are counted for each deployment, even if both have the same names', async () => {
      const name = unique('pool');
      const plan = hanging({ maxActiveRuns: 1, tasks: [task('a', 'hang', [], { ...QUICK, pool: { name, slots: 1 } })] });
      const other = await startTestWorker(environment, toyActivities);
      try {
        const startIn = ({ client, taskQueue }: TestWorker): Promise<RunReference> =>
          startManualRun(client, plan, taskQueue, SOME_DAY, randomUUID());
        await resizePool(worker.client, worker.taskQueue, name, 1);
        await resizePool(other.client, other.taskQueue, name, 1);
        const [own, second, foreign] = [await startIn(worker), await startIn(worker), await startIn(other)];
        const holders = async ({ client, taskQueue }: TestWorker, id: string): Promise<string[]> =>
          (await client.workflow.getHandle(slotsIdIn(taskQueue, id)).query(SLOTS_QUERY)).holders.map(({ workflowId }) => workflowId);
        for (const [deployment, run] of [
          [worker, own],
          [other, foreign],
        ] as const) {
          for (const id of [poolId(name), runSlotsId(plan.dagId)])
            await eventually(async () => assert.deepEqual(await holders(deployment, id), [run.pipelineRunId]));
        }
        await eventually(async () =>
          assert.deepEqual(
            (await listPools(other.client, other.taskQueue)).map((pool) => [pool.name, pool.deployment]),
            [[name, other.taskQueue]],
          ),
        );
        await handle(own).cancel();
        await eventually(async () => assert.deepEqual(await holders(worker, poolId(name)), [second.pipelineRunId]));
        assert.equal((await describeRun(other.client, foreign)).state, 'running');
        for (const run of [second, foreign]) await handle(run).cancel();
      } finally {
        await other.close();
      }
    });

    it('that an earlier release started for the deployment is used under its old id', async () => {
      const name = unique('pool');
      const input: SlotsInput = { kind: 'pool', state: { capacity: 1, holders: [], waiting: [], served: [] } };
      const old = await worker.client.workflow.start(SLOTS_WORKFLOW, {
        workflowId: poolId(name),
        taskQueue: worker.taskQueue,
        args: [input],
      });
      const run = await start(planOf(unique('pooled'), [task('a', 'hang', [], { ...QUICK, pool: { name, slots: 1 } })]));
      await eventually(async () => assert.equal((await old.query(SLOTS_QUERY)).holders.length, 1));
      await handle(run).cancel();
      await eventually(async () => assert.deepEqual((await old.query(SLOTS_QUERY)).holders, []));
      await old.terminate();
    });

    it('refuses a size that is none', async () => {
      await assert.rejects(resizePool(worker.client, worker.taskQueue, unique('pool'), -1), /-1 is not a number of slots/);
    });
  });
});
