import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { startBackfill } from '../../temporal/schedules/backfills.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { BackfillReport } from '../../workflows/plan/runs/backfill.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, task } from '../support/plans.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { killPart, testStack } from '../support/test-stack.ts';

const DAYS = 36;

describe('a backfill through kills', function () {
  this.timeout('3m');
  const taskQueue = `chaos-${randomUUID()}`;
  let environment: Record<string, string>;
  let client: Client;
  let worker: TestProcess;

  before(async function () {
    this.timeout('15m');
    environment = { ...(await testStack(['temporal'])).encrypting, SLUICE_TASK_QUEUE: taskQueue, SLUICE_COMMANDS: 'sleep' };
    client = await connectClient(environment);
    await ensureSearchAttributes(client);
    worker = await startWorker();
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await client.connection.close();
  });

  async function startWorker(): Promise<TestProcess> {
    const started = startProcess('worker.ts', [], environment);
    await started.says('ready');
    return started;
  }

  it('the worker and the Temporal server are killed: each interval is run, once, and counted', async () => {
    const dagId = `through_kills_${randomUUID().slice(0, 8)}`;
    const work = task('work', 'command', [], {
      params: { argv: ['sleep', '0.3'] },
      heartbeatTimeoutMs: 1_500,
      retry: { maximumAttempts: 10, initialDelayMs: 100, backoff: 1, maximumDelayMs: 100 },
    });
    const plan = planOf(dagId, [work], { schedule: { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' } });
    const from = Date.UTC(2024, 0, 1);
    const to = from + (DAYS - 1) * 86_400_000;
    const runs = async (state: string): Promise<number> =>
      (await client.workflow.count(`SluicePipeline = "${dagId}" AND ExecutionStatus = "${state}"`)).count;
    const isUnderWay = (ended: number): Promise<void> =>
      eventually(async () => assert.ok((await runs('Completed')) >= ended && (await runs('Running')) > 0), 60_000);

    const backfill = await startBackfill(client, taskQueue, { plan, from, to, reprocess: 'none', maxActive: 4, reverse: false });
    await isUnderWay(5);
    await worker.stop('SIGKILL');
    worker = await startWorker();
    await isUnderWay(12);
    await killPart('temporal', 2_500);
    assert.ok((await runs('Completed')) < DAYS, 'the backfill was over before Temporal was killed');

    const handle = client.workflow.getHandle(backfill.pipelineRunId);
    const { total, succeeded, skipped, failed } = await eventually(async () => (await handle.result()) as BackfillReport, 60_000);
    assert.deepEqual({ total, succeeded, skipped, failed }, { total: DAYS, succeeded: DAYS, skipped: 0, failed: [] });
    const found: string[] = [];
    await eventually(async () => {
      found.length = 0;
      for await (const run of client.workflow.list({ query: `SluicePipeline = "${dagId}"` })) {
        assert.equal(run.status.name, 'COMPLETED', run.workflowId);
        found.push(run.workflowId);
      }
      assert.equal(found.length, DAYS);
    });
    const wanted = Array.from(
      { length: DAYS },
      (_, day) => `${dagId}/backfill/${iso(from + day * 86_400_000)}/${iso(from + (day + 1) * 86_400_000)}`,
    );
    assert.deepEqual(found.sort(), wanted);
  });
});
