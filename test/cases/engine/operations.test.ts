import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { operateRun, operateTask } from '../../../temporal/runs/operations.ts';
import { resizePool } from '../../../temporal/pools/pools.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { RunOperation, TaskOperation } from '../../../workflows/plan/runs/decision.ts';
import { parseDuration } from '../../../workflows/plan/values/duration.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { workerOfSuite } from '../../support/temporal-suite.ts';
import { SECOND_ROUND, ToyClock } from '../../support/toy-clock.ts';
import { runToys, type TimedAct } from '../../support/toy-runs.ts';
import { assertCase, casePlan } from '../../workflows/run/language-cases.ts';
import { OPERATION_CASES, POOL } from '../../workflows/run/operations-cases.ts';

describe('what operators do to a run is the same on Temporal as in the simulation', function () {
  this.timeout('1m');
  const clock = new ToyClock(SECOND_ROUND);
  const pool = `operated_${randomUUID().slice(0, 8)}`;
  const worker = workerOfSuite(clock.activities);
  before(() => resizePool(worker.client, worker.taskQueue, pool, 100));

  const timed = (word: string): TimedAct => {
    const [, when = '', operation = '', task = '', by = ''] = /^(\w+) ([\w-]+)(?: ([\w.]+))?(?: by (\w*))?$/.exec(word) ?? [];
    return {
      atMs: parseDuration(when) ?? 0,
      act(handle) {
        if (operation === 'cancel') return handle.cancel();
        return task === ''
          ? operateRun(worker.client, handle.workflowId, operation as RunOperation, { by })
          : operateTask(worker.client, handle.workflowId, operation as TaskOperation, { task, by });
      },
    };
  };

  for (const [title, tasks, words, expected, given = {}] of OPERATION_CASES) {
    // The simulation has time for time-outs of workflows.
    if (given.file?.dagrun_timeout !== undefined) continue;
    it(title, async () => {
      const plan = casePlan(tasks.replaceAll(`pool: ${POOL}`, `pool: ${pool}`), given);
      assertCase(await runToys(worker, clock, plan, words.map(timed)), expected);
    });
  }

  it('a task whose pipeline is cancelled by hand fails its run', async () => {
    const plan = casePlan('p: run_pipeline with {dag_id: child}; b: ok after p if all_done', { pipelines: { child: 'x: slow' } });
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, randomUUID());
    const child = worker.client.workflow.getHandle(`child/pipeline/${pipelineRunId}/p`);
    await eventually(async () => assert.ok(clock.isWaiting(child.workflowId, 'x')));
    await child.cancel();
    await eventually(async () => assert.ok(clock.isWaiting(pipelineRunId, 'b')));
    clock.now += 3_600_000;
    await assert.rejects(worker.client.workflow.getHandle(pipelineRunId).result(), (error: Error & { cause?: { details?: unknown[] } }) => {
      assert.match(String(error.cause), /Task p failed: The run of 'child' was cancelled\. \(1 of 2 tasks succeeded\)/);
      assertCase(error.cause?.details?.[0] as RunResult, 'b=success p=failed: failed');
      return true;
    });
  });
});
