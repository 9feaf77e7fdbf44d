import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { describe, it } from 'mocha';
import { listPools, resizePool } from '../../../temporal/pools/pools.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { poolId, SLOTS_WORKFLOW, slotsIdIn } from '../../../workflows/plan/slots/slot-messages.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { currentDetails, workerOfSuite } from '../../support/temporal-suite.ts';
import { casePlan } from '../../workflows/run/language-cases.ts';

const SHORT_HISTORIES = fileURLToPath(new URL('../../fixtures/short-histories/index.ts', import.meta.url));
const FULL = process.env['SLUICE_CHAOS'] === 'full';
const GRANTS = FULL ? 1_000 : 200;
const RUNS = 5;
/** Fewer than there are runs: some wait in line, each for one other run. */
const SLOTS = 4;
/** A grant that is lost never comes. A machine with much to do is slow at each of them. */
const MAX_WAIT_MS = FULL ? 5_000 : 20_000;

describe('slots', function () {
  this.timeout('3m');
  const ok = async (): Promise<null> => null;
  const worker = workerOfSuite({ ok }, () => bundleWorkflowCode({ workflowsPath: SHORT_HISTORIES, logger: new DefaultLogger('ERROR') }));

  it(`of ${GRANTS} grants none is lost when the pool continues in a new history`, async () => {
    const { client, taskQueue } = worker;
    const pool = `renewed_${randomUUID().slice(0, 8)}`;
    await resizePool(client, taskQueue, pool, SLOTS);
    const run = (): Promise<number[]> =>
      client.workflow.execute<(slots: string, grants: number) => Promise<number[]>>('AskForSlots', {
        workflowId: randomUUID(),
        taskQueue,
        args: [slotsIdIn(taskQueue, poolId(pool)), GRANTS / RUNS],
      });
    const waits = (await Promise.all(Array.from({ length: RUNS }, run))).flat();
    assert.equal(waits.length, GRANTS);
    assert.ok(Math.max(...waits) < MAX_WAIT_MS, `${Math.max(...waits)} ms`);
    await eventually(async () => {
      const { count } = await client.workflow.count(
        `WorkflowType = "${SLOTS_WORKFLOW}" AND WorkflowId = "${slotsIdIn(taskQueue, poolId(pool))}"`,
      );
      assert.ok(count > 5, `${count} histories`);
    });
  });

  it('a task that asks for more slots than its pool has shows it, and starts when there are enough', async () => {
    const pool = `small_${randomUUID().slice(0, 8)}`;
    const tasks = [
      `a: ok with {pool: ${pool}, pool_slots: 3}`,
      `l: ok after - with {pool: ${pool}, pool_slots: 3, expand: {over: [1, 2]}}`,
    ];
    const { pipelineRunId } = await startManualRun(worker.client, casePlan(tasks.join('; '), {}), worker.taskQueue, SOME_DAY, randomUUID());
    const handle = worker.client.workflow.getHandle(pipelineRunId);
    const shows = (pattern: RegExp): Promise<void> => eventually(async () => assert.match(await currentDetails(handle), pattern));
    await shows(new RegExp(`a  queued +waits for pool ${pool}: it has no slots; .sluice pools set ${pool} 3. makes room`));
    await resizePool(worker.client, worker.taskQueue, pool, 2);
    await shows(/a {2}queued +waits for pool \w+: it has 2 slots, the task asks for 3/);
    await shows(/l {2}running +waits for pool \w+: it has 2 slots, the task asks for 3/);
    const [state] = (await listPools(worker.client, worker.taskQueue)).filter(({ name }) => name === pool);
    assert.equal(state?.state?.capacity, 2);
    await resizePool(worker.client, worker.taskQueue, pool, 3);
    assert.equal(((await handle.result()) as RunResult).state, 'success');
  });
});
