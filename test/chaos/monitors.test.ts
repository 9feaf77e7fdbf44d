import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { withHash } from '../../compiler/resolve/emit.ts';
import { ROOT } from '../../lib/environment.ts';
import { connectClient } from '../../temporal/connect.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { monitorId, probeId } from '../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { SlaCondition } from '../../workflows/plan/incidents/sla.ts';
import { eventually } from '../support/eventually.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { killPart, testStack } from '../support/test-stack.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';

/** `SLUICE_CHAOS=full`: each kill twenty times, Temporal away for a minute. */
const FULL = process.env.SLUICE_CHAOS === 'full';
const TIMES = FULL ? 20 : 1;
const AWAY = FULL ? 60_000 : 50_000;
/** The clock of one monitor is so much ahead, that of the other so much behind: they look by Temporal's. Milliseconds. */
const WRONG_BY = 300_000;
const WRONG_CLOCK = pathToFileURL(join(ROOT, 'test', 'support', 'wrong-clock.mjs')).href;

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
  const startMonitor = async (wrongBy: number): Promise<TestProcess> => {
    const clock = { NODE_OPTIONS: `--import ${WRONG_CLOCK}`, WRONG_CLOCK_MS: String(wrongBy) };
    const monitor = startProcess('worker.ts', ['--monitors', '--queue', taskQueue], { ...environment, ...clock });
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
    environment = { ...stack.encrypting, ...pagerDuty.environment };
    client = await connectClient(environment);
    await ensureSearchAttributes(client);
    await startWorker();
    monitors = [await startMonitor(WRONG_BY), await startMonitor(-WRONG_BY)];
  });
  after(async () => {
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await client.workflow.getHandle(id).terminate();
    await Promise.all([worker, ...monitors].map((each) => each.stop('SIGKILL')));
    await client.connection.close();
    await pagerDuty.close();
  });

  it('page for a run that is late, and for none that is healthy, even if their clocks are wrong', async () => {
    const apply = async (name: string, tasks: Plan['tasks'], promise: SlaCondition): Promise<Plan> => {
      const dagId = `${name}_${randomUUID().slice(0, 8)}`;
      const schedule = { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' } as const;
      const plan = withHash(planOf(dagId, tasks, { schedule, slas: [{ name: 'promise', promise, suppressWhen: [] }] }));
      await applyChange(client, { dagId, action: 'create', detail: '', plan }, taskQueue);
      await startManualRun(client, plan, taskQueue, SOME_DAY, 'x');
      return plan;
    };
    const waits = task('a', 'approval', [], { executionTimeoutMs: 60_000, params: { prompt: '?' } });
    const well = [
      await apply('fresh', [task('a', 'empty')], { kind: 'within', ms: 120_000, reference: 'previous_success' }),
      await apply('in_time', [waits], { kind: 'within', ms: 120_000, reference: 'started_at' }),
      await apply('soon', [waits], { kind: 'within', ms: 120_000, reference: 'queued_at' }),
    ];
    const late = await apply('late', [waits], { kind: 'within', ms: 5_000, reference: 'started_at' });
    await taken(`${late.dagId}/promise/${SOME_DAY.start}`, 'trigger', 1, 30_000);
    // Each of them has looked by then, whoever paged.
    await delay(6_000);
    assert.deepEqual([...pagerDuty.opened.keys()], [`${late.dagId}/promise/${SOME_DAY.start}`], well.map(({ dagId }) => dagId).join());
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
    monitors = [...monitors.filter((each) => each !== active), await startMonitor(WRONG_BY)];
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
