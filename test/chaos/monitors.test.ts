import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { withHash } from '../../compiler/emit.ts';
import { connectClient } from '../../temporal/connect.ts';
import { applyChange } from '../../temporal/schedules.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { monitorId, probeId } from '../../workflows/plan/incident.ts';
import { eventually } from '../support/eventually.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { killPart, testStack } from '../support/test-stack.ts';
import { startManualRun } from '../../temporal/runs.ts';

/** `SLUICE_CHAOS=full`: each kill twenty times, Temporal away for a minute. */
const FULL = process.env.SLUICE_CHAOS === 'full';
const TIMES = FULL ? 20 : 1;
const AWAY = FULL ? 60_000 : 50_000;

describe('monitors as processes', function () {
  this.timeout(FULL ? '90m' : '5m');
  const taskQueue = `chaos-${randomUUID().slice(0, 8)}`;
  let environment: Record<string, string>;
  let pagerDuty: PagerDutyStandIn;
  let client: Client;
  let worker: TestProcess;
  let monitors: TestProcess[] = [];

  const startWorker = async (): Promise<void> => {
    worker = startProcess('worker.ts', ['--queue', taskQueue], environment);
    await worker.says('ready');
  };
  const startMonitor = async (): Promise<TestProcess> => {
    const monitor = startProcess('worker.ts', ['--monitors', '--queue', taskQueue], environment);
    await monitor.says('ready');
    return monitor;
  };
  /** Waits for what was told of a key last, and says after how many milliseconds. */
  const taken = async (key: string, action: string, times: number, withinMs: number): Promise<number> => {
    const began = performance.now();
    await eventually(
      () => Promise.resolve(assert.equal(pagerDuty.actionsOf(key).filter((each) => each === action).length, times)),
      withinMs,
    );
    return performance.now() - began;
  };

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    pagerDuty = await PagerDutyStandIn.start();
    environment = { ...stack.environment, ...pagerDuty.environment };
    client = await connectClient(environment);
    await ensureSearchAttributes(client);
    await startWorker();
    monitors = [await startMonitor(), await startMonitor()];
  });
  after(async () => {
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await client.workflow.getHandle(id).terminate();
    await Promise.all([worker, ...monitors].map((each) => each.stop('SIGKILL')));
    await client.connection.close();
    await pagerDuty.close();
  });

  it('page once when the workers are killed, and resolve when they are back', async () => {
    const key = `workers/${taskQueue}`;
    for (let time = 1; time <= TIMES; time++) {
      await worker.stop('SIGKILL');
      await taken(key, 'trigger', time, 90_000);
      await startWorker();
      await taken(key, 'resolve', time, 60_000);
    }
    assert.equal(pagerDuty.opened.get(key), TIMES);
  });

  it('page although the monitor that looks was killed: the other one looks', async () => {
    const dagId = `standby_${randomUUID().slice(0, 8)}`;
    const plan = withHash(
      planOf(dagId, [task('a', 'approval', [], { executionTimeoutMs: 1_000, params: { prompt: '?' } })], {
        schedule: { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' },
        critical: true,
        runTimeoutMs: 1_000,
      }),
    );
    await applyChange(client, { dagId, action: 'create', detail: '', plan }, taskQueue);
    const described = await client.workflow.getHandle(monitorId(taskQueue)).describe();
    const identity = described.raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
    const active = monitors.find(({ child }) => identity.startsWith(`${child.pid}@`)) ?? monitors[0];
    await active?.stop('SIGKILL');
    await startManualRun(client, plan, taskQueue, SOME_DAY, 'x');
    await taken(`${dagId}/failed/${SOME_DAY.start}`, 'trigger', 1, 32_000);
    monitors = [...monitors.filter((each) => each !== active), await startMonitor()];
  });

  it('page once when Temporal is away, all monitors together, and resolve when it is back', async () => {
    const key = `sluice/temporal/${environment.TEMPORAL_ADDRESS}`;
    for (let time = 1; time <= TIMES; time++) {
      const back = killPart('temporal', AWAY);
      await eventually(
        () => Promise.resolve(assert.ok(pagerDuty.actionsOf(key).filter((each) => each === 'trigger').length >= time)),
        120_000,
      );
      await back;
      await eventually(() => Promise.resolve(assert.ok(!pagerDuty.open.has(key))), 60_000);
      await delay(5_000);
    }
    assert.equal(pagerDuty.opened.get(key), TIMES);
  });
});
