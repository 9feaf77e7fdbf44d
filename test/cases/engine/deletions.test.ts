import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'mocha';
import { withHash } from '../../../compiler/resolve/emit.ts';
import { PagerDutyStandIn } from '../../../dev/demo/pagerduty-stand-in.ts';
import { runCheckCycle } from '../../../monitors/check-cycle.ts';
import { TemporalFacts } from '../../../temporal/monitors/monitor-facts.ts';
import type { MonitorGroup } from '../../../temporal/monitors/monitors.ts';
import { runStart } from '../../../temporal/runs/run-start.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { applyChange, listSchedules } from '../../../temporal/schedules/schedules.ts';
import { listTicks } from '../../../temporal/schedules/ticks.ts';
import { incidentId, type MonitorMemory, probeId, DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/plan/runs/search-attributes.ts';
import { eventually } from '../../support/eventually.ts';
import { noServers } from '../../support/no-facts.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { createTestMonitors } from '../../support/test-monitors.ts';
import { testStack } from '../../support/test-stack.ts';
import { toyActivities } from '../../support/toy-activities.ts';

const PAGERDUTY = { pagerduty: { connection: 'pagerduty_default' } };
const YEARLY = { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' } as const;
/** Runs that are older should have begun. Milliseconds. */
const OLD = 11_000;
/** After this time it is checked whether runs under way and open incidents still exist, in milliseconds. */
const VERIFIED = 61_000;

describe('monitors while runs, schedules and incidents are deleted', function () {
  this.timeout('3m');
  let environment: Record<string, string>;
  let pagerDuty: PagerDutyStandIn;
  let worker: TestWorker;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;

  before(async function () {
    this.timeout('15m');
    pagerDuty = await PagerDutyStandIn.start();
    environment = { ...(await testStack(['temporal'])).environment, ...pagerDuty.environment };
    worker = await startTestWorker(environment, toyActivities);
    monitors = await createTestMonitors(environment, worker.taskQueue);
    monitoring = monitors.run();
  });
  after(async () => {
    await worker.client.workflow.getHandle(probeId(worker.taskQueue)).terminate();
    monitors.shutdown();
    await monitoring;
    await worker.close();
    await pagerDuty.close();
  });

  afterEach(async () => {
    for (const { dagId } of await listSchedules(worker.client, worker.taskQueue)) await worker.client.schedule.getHandle(dagId).delete();
  });

  /** Checks as a monitor does, with a clock of its own that is ahead; each has to be complete. */
  class Monitor {
    facts = new TemporalFacts(worker.client, worker.taskQueue, environment);
    memory: MonitorMemory = { open: {}, since: {} };
    private ahead = 0;

    async check(stepMs = 0): Promise<void> {
      this.ahead += stepMs;
      const now = new Date(Date.now() + this.ahead).toISOString();
      const call = { taskQueue: worker.taskQueue, settings: DEFAULT_MONITOR_SETTINGS, memory: this.memory, now };
      const { memory, report } = await runCheckCycle(call, this.facts, noServers);
      assert.equal(Date.parse(memory.completeAt ?? ''), Date.parse(now), report.join('\n'));
      this.memory = memory;
    }

    restart(): void {
      this.facts = new TemporalFacts(worker.client, worker.taskQueue, environment);
    }
  }

  async function apply(name: string, type: string, more: Partial<Plan> = {}): Promise<Plan> {
    const dagId = `${name}_${randomUUID().slice(0, 8)}`;
    const plan = withHash(planOf(dagId, [task('a', type)], { schedule: YEARLY, alerts: PAGERDUTY, ...more }));
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    return plan;
  }
  const start = (plan: Plan, id = 'x') => startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, id);
  const listed = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { workflowId } of worker.client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  };
  const ofPlan = ({ dagId }: Plan): string => `${SEARCH_ATTRIBUTES.pipeline.name} = "${dagId}"`;
  /** Deletes a workflow with its history, as `temporal workflow delete` does. */
  const remove = async (workflowId: string): Promise<void> => {
    const { namespace } = worker.client.options;
    // The server puts off what has ended just now, and lists may name it for longer.
    for (let attempt = 0; ; attempt++) {
      await worker.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } }).catch(() => undefined);
      const gone = eventually(() => assert.rejects(worker.client.workflow.getHandle(workflowId).describe()), 2_000);
      if (
        attempt === 20 ||
        (await gone.then(
          () => true,
          () => false,
        ))
      )
        return gone;
    }
  };
  const isPaged = (key: string): Promise<void> => eventually(() => Promise.resolve(assert.ok(pagerDuty.open.has(key), key)));
  const isResolved = (key: string): Promise<void> => eventually(() => Promise.resolve(assert.ok(!pagerDuty.open.has(key), key)));

  it('a deleted run that no worker had started hides nothing else, and is a separate finding', async () => {
    const monitor = new Monitor();
    const dagId = `doomed_${randomUUID().slice(0, 8)}`;
    const plan = withHash(planOf(dagId, [task('a', 'succeed')], { schedule: YEARLY, alerts: PAGERDUTY }));
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    const pipelineRunId = `${dagId}/manual/x`;
    const facts = runStart(plan, 'manual', worker.taskQueue, { interval: SOME_DAY });
    await worker.client.workflow.start(dagId, { workflowId: pipelineRunId, ...facts, startDelay: '1h' });
    await eventually(async () => assert.equal((await listed(ofPlan(plan))).length, 1));
    await monitor.check(OLD);
    await remove(pipelineRunId);
    const failing = await apply('fails', 'fail');
    await start(failing);
    await eventually(async () => assert.equal((await listed(`${ofPlan(failing)} AND ExecutionStatus = "Failed"`)).length, 1));
    await monitor.check();
    await isPaged(`${failing.dagId}/failed/${SOME_DAY.start}`);
    await isPaged(`removed/${pipelineRunId}`);
    await start({ ...failing, tasks: [task('a', 'ok')] }, 'again');
    await eventually(async () => assert.equal((await listed(`${ofPlan(failing)} AND ExecutionStatus = "Completed"`)).length, 1));
    await monitor.check();
    for (let minutes = 0; minutes <= 60; minutes += 30) await monitor.check(30 * 60_000);
    await isResolved(`removed/${pipelineRunId}`);
    await isResolved(`${failing.dagId}/failed/${SOME_DAY.start}`);
  });

  it('a failure whose run is deleted stays open until the interval succeeds, even if the monitor has forgotten it', async () => {
    const monitor = new Monitor();
    const plan = await apply('forgotten', 'fail');
    const { pipelineRunId } = await start(plan);
    await eventually(async () => assert.equal((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Failed"`)).length, 1));
    await monitor.check();
    const key = `${plan.dagId}/failed/${SOME_DAY.start}`;
    await isPaged(key);
    await remove(pipelineRunId);
    monitor.restart();
    for (let times = 0; times < 3; times++) await monitor.check(1_000);
    assert.deepEqual(pagerDuty.actionsOf(key), ['trigger']);
    await start({ ...plan, tasks: [task('a', 'ok')] }, 'again');
    await eventually(async () => assert.equal((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Completed"`)).length, 1));
    await monitor.check();
    await isResolved(key);
  });

  it('an incident that is deleted is resolved anyway, whether the problem is over at once or continues', async () => {
    const monitor = new Monitor();
    const plans = await Promise.all([apply('at_once', 'fail'), apply('goes_on', 'fail')]);
    for (const plan of plans) await start(plan);
    for (const plan of plans)
      await eventually(async () => assert.equal((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Failed"`)).length, 1));
    await monitor.check();
    const keys = plans.map(({ dagId }) => `${dagId}/failed/${SOME_DAY.start}`);
    for (const key of keys) await isPaged(key);
    const [atOnce, goesOn] = plans;
    const succeed = async (plan: Plan): Promise<void> => {
      await start({ ...plan, tasks: [task('a', 'ok')] }, 'again');
      await eventually(async () => assert.equal((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Completed"`)).length, 1));
    };
    for (const key of keys) await remove(incidentId(key));
    await succeed(atOnce);
    await monitor.check();
    await isResolved(keys[0] as string);
    await eventually(async () => assert.equal((await listed(`WorkflowId = "${incidentId(keys[1] as string)}"`)).length, 1));
    await succeed(goesOn);
    await monitor.check();
    await isResolved(keys[1] as string);
    for (const key of keys) assert.equal(pagerDuty.opened.get(key), 1);
  });

  it('a deleted probe is not a dead worker', async () => {
    const monitor = new Monitor();
    await monitor.check();
    await remove(probeId(worker.taskQueue));
    for (let times = 0; times < 3; times++) await monitor.check(VERIFIED);
    assert.ok(!pagerDuty.opened.has(`workers/${worker.taskQueue}`));
  });

  it('an interval whose run was deleted is not missing: its schedule says that it has started it', async () => {
    const monitor = new Monitor();
    const plan = await apply('ticks', 'ok', { schedule: { kind: 'every', everyMs: 5_000, timezone: 'UTC' } });
    await eventually(async () => assert.ok((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Completed"`)).length > 0), 20_000);
    // A schedule names its last five runs only: a monitor has to remember more.
    await monitor.check();
    const deleted = await listed(ofPlan(plan));
    for (const id of deleted) await remove(id);
    const ticks = (await listTicks(worker.client, plan.dagId)).filter(({ tick }) => deleted.some((id) => id.endsWith(tick)));
    assert.deepEqual(
      ticks.map(({ state }) => state),
      deleted.map(() => 'expired'),
    );
    // The monitor waits so long for the runs of what was deleted, and for none of those that begin only now.
    const due = Math.max(...ticks.map(({ tick }) => Date.parse(tick)));
    await monitor.check(due + DEFAULT_MONITOR_SETTINGS.graceMs + 1_000 - Date.now());
    assert.deepEqual(
      Object.keys(monitor.memory.open).filter((key) => key.startsWith(plan.dagId)),
      [],
    );
  });

  it('at random: every check is complete, no healthy pipeline is paged, and every page is resolved in the end', async () => {
    const monitor = new Monitor();
    let seed = 20_261_128;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    const promise = { kind: 'within', ms: 3_600_000_000, reference: 'started_at' } as const;
    const more = { slas: [{ name: 'in_time', promise, suppressWhen: [] }] };
    const types = ['ok', 'fail', 'hang', 'ok', 'fail', 'hang'];
    const plans = await Promise.all(types.map((type) => apply(`random_${type}`, type, more)));
    for (const plan of plans) await start(plan);
    for (const [index, plan] of plans.entries()) {
      const status = { ok: 'Completed', fail: 'Failed', hang: 'Running' }[types[index] as 'ok'];
      await eventually(async () => assert.equal((await listed(`${ofPlan(plan)} AND ExecutionStatus = "${status}"`)).length, 1));
    }
    monitor.memory = { ...monitor.memory, expected: plans.map(({ dagId }) => dagId) };
    const names = plans.map(({ dagId }) => dagId);
    for (let round = 0; round < 8; round++) {
      await monitor.check(random(2) === 0 ? VERIFIED : 5_000);
      const runs = (await Promise.all(plans.map((plan) => listed(ofPlan(plan))))).flat();
      const incidents = Object.values(monitor.memory.open).map(({ incident }) => incidentId(incident));
      const victims = [runs, incidents][random(2)] ?? [];
      const victim = victims[random(victims.length || 1)];
      if (victim && (await listed(`WorkflowId = "${victim}"`)).length > 0) await remove(victim);
      if (random(3) === 0) {
        const schedule = names[random(names.length)] as string;
        await worker.client.schedule
          .getHandle(schedule)
          .delete()
          .catch(() => undefined);
      }
      if (random(4) === 0) monitor.restart();
    }
    for (const plan of plans) {
      const { dagId } = plan;
      await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue).catch(() => undefined);
      for (const id of await listed(`${ofPlan(plan)} AND ExecutionStatus = "Running"`)) await worker.client.workflow.getHandle(id).cancel();
      await start({ ...plan, tasks: [task('a', 'ok')] }, 'again');
      await eventually(async () => assert.ok((await listed(`${ofPlan(plan)} AND ExecutionStatus = "Completed"`)).length > 0));
    }
    for (let times = 0; times < 4; times++) await monitor.check(30 * 60_000);
    await eventually(async () => {
      assert.deepEqual(
        [...pagerDuty.open].filter((key) => names.some((name) => key.includes(name))),
        [],
      );
      assert.deepEqual(pagerDuty.complaints, []);
    }, 30_000);
    for (const [key, times] of pagerDuty.opened) {
      if (!names.some((name) => key.includes(name))) continue;
      // A run that is deleted while it runs may be seen as terminated before it is gone.
      assert.ok(!key.startsWith('random_ok'), `paged for a healthy pipeline: ${key}`);
      if (key.startsWith('random_')) assert.equal(times, 1, key);
    }
  });
});
