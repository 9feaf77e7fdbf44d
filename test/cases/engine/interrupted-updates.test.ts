import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../../temporal/connect.ts';
import { finishUpdate } from '../../../temporal/schedules/finish-update.ts';
import { scheduleOf } from '../../../temporal/schedules/schedule-facts.ts';
import { applyChange, diffSchedules, listSchedules } from '../../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { intervalsCompletedSince } from '../../../workflows/plan/timetable/intervals.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { SchedulePlan } from '../../../workflows/plan/timetable/schedule.ts';
import { eventually } from '../../support/eventually.ts';
import { inTurns } from '../../../workflows/plan/values/in-turns.ts';
import { planOf, task } from '../../support/plans.ts';
import { testStack } from '../../support/test-stack.ts';

const DAY = 86_400_000;
const EVERY_SECOND: SchedulePlan = { kind: 'every', everyMs: 1000, timezone: 'UTC' };

/** The scheduler was killed. */
class Killed extends Error {}

/** The client of Temporal wraps what goes wrong with a request. */
function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && isKilled(error.cause));
}

/** A client that is killed before its request number `dies` (from 1), and counts its requests. */
function mortal(client: Client, dies: number): { client: Client; requests: () => number } {
  let requests = 0;
  const count = (): void => {
    if (++requests >= dies) throw new Killed();
  };
  const workflowService = new Proxy(client.connection.workflowService, {
    get(service, name) {
      const method: unknown = Reflect.get(service, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown => {
        count();
        return Reflect.apply(method, service, args);
      };
    },
  });
  const connection = new Proxy(client.connection, {
    get: (target, name) => {
      if (name === 'workflowService') return workflowService;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { namespace, loadedDataConverter } = client.options;
  return { client: new Client({ connection, namespace, dataConverter: loadedDataConverter }), requests: () => requests };
}

describe('an update of a Schedule that is interrupted', function () {
  this.timeout('2m');
  const taskQueue = `interrupted-${randomUUID()}`;
  let client: Client;
  const applied: string[] = [];

  before(async function () {
    this.timeout('15m');
    client = await connectClient((await testStack(['temporal'])).environment);
    await ensureSearchAttributes(client);
  });
  after(async () => {
    for (const dagId of applied) {
      await client.schedule.getHandle(dagId).delete();
      for await (const { workflowId } of client.workflow.list({ query: `SluicePipeline = "${dagId}" AND ExecutionStatus = "Running"` })) {
        await client.workflow.getHandle(workflowId).terminate();
      }
      for (const id of await backfillsOf(dagId)) await client.workflow.getHandle(id).terminate();
    }
    await client.connection.close();
  });

  /** One pass of the scheduler, over one pipeline. @returns what it did */
  async function pass(by: Client, plan: Plan): Promise<string> {
    const existing = (await listSchedules(by, taskQueue)).filter(({ dagId }) => dagId === plan.dagId);
    const [change] = diffSchedules([plan], existing, () => true);
    assert.ok(change);
    await applyChange(by, change, taskQueue);
    if (change.action !== 'unchanged') await finishUpdate(by, plan.dagId, taskQueue);
    return change.action;
  }
  const runsOf = async (dagId: string): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: `SluicePipeline = "${dagId}"` })) ids.push(workflowId);
    return ids;
  };
  const backfillsOf = async (dagId: string): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({
      query: `WorkflowId STARTS_WITH "${dagId}/backfills/" AND ExecutionStatus = "Running"`,
    }))
      ids.push(workflowId);
    return ids;
  };

  /** A pipeline of every second, whose Schedule has worked through none of its ticks since `changedAt`; and what it is edited to. */
  async function begin(hasStarted: (dagId: string) => Promise<void> = () => Promise.resolve()): Promise<{ plan: Plan; changedAt: number }> {
    const dagId = `interrupted_${randomUUID().slice(0, 8)}`;
    await pass(client, planOf(dagId, [task('a', 'succeed')], { schedule: EVERY_SECOND, hash: 'a'.repeat(64) }));
    applied.push(dagId);
    await hasStarted(dagId);
    await client.schedule.getHandle(dagId).update((description) => ({ ...description, spec: {} }));
    const startAt = new Date(Math.floor(Date.now() / DAY) * DAY - 3 * DAY).toISOString();
    const schedule: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt };
    const plan = planOf(dagId, [task('a', 'succeed')], { schedule, hash: 'b'.repeat(64), catchup: { mode: 'all' } });
    return { plan, changedAt: (await scheduleOf(client, dagId)).changedAt };
  }
  const runIdOf = (dagId: string, tick: number): string => `${dagId}/scheduled-${new Date(tick).toISOString().replace('.000Z', 'Z')}`;
  const due = (changedAt: number, until: number): number[] =>
    intervalsCompletedSince(EVERY_SECOND, changedAt, until).map(({ end }) => Date.parse(end));
  const untilDue = (changedAt: number): Promise<void> =>
    eventually(() => Promise.resolve(assert.ok(due(changedAt, Date.now()).length >= 2)));

  /** All that follows from the edit is done, and it is done once. */
  async function assertDone({ dagId }: Plan, ticks: readonly number[]): Promise<void> {
    for (const tick of ticks) {
      const id = runIdOf(dagId, tick);
      assert.equal((await client.workflow.getHandle(id).describe()).status.name, 'RUNNING', id);
    }
    await eventually(async () => {
      const ids = await runsOf(dagId);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal((await backfillsOf(dagId)).length, 1);
      const listed = (await listSchedules(client, taskQueue)).find((schedule) => schedule.dagId === dagId);
      assert.deepEqual([listed?.planHash, listed?.isPending], ['b'.repeat(64), false]);
    });
    const { followUp } = await scheduleOf(client, dagId);
    assert.equal(followUp, undefined);
  }

  it('is finished by the next pass, before whichever request it was killed: ticks and catch-up, each once', async () => {
    const first = await begin();
    await untilDue(first.changedAt);
    const whole = mortal(client, Infinity);
    const ticks = due(first.changedAt, Date.now());
    assert.equal(await pass(whole.client, first.plan), 'update');
    await assertDone(first.plan, ticks);
    const steps = Array.from({ length: whole.requests() }, (_, index) => index + 1);
    assert.ok(steps.length >= 8, `${steps.length} requests`);
    const actions = new Set<string>();
    await inTurns(steps, 20, async (step) => {
      const { plan, changedAt } = await begin();
      await untilDue(changedAt);
      const owed = due(changedAt, Date.now());
      await assert.rejects(pass(mortal(client, step).client, plan), isKilled);
      await eventually(async () => {
        actions.add(await pass(client, plan));
        const listed = (await listSchedules(client, taskQueue)).find(({ dagId }) => dagId === plan.dagId);
        assert.deepEqual([listed?.planHash, listed?.isPending], ['b'.repeat(64), false]);
      });
      await assertDone(plan, owed);
    });
    assert.ok(actions.has('finish') && actions.has('update'));
  });

  it('starts the ticks that it has dropped, and leaves to the Schedule those that it holds back', async () => {
    const held = async (dagId: string) => (await scheduleOf(client, dagId)).held;
    const { plan, changedAt } = await begin((dagId) => eventually(async () => assert.ok(((await held(dagId))?.count ?? 0) >= 2)));
    const before = await held(plan.dagId);
    assert.ok(before);
    await untilDue(changedAt);
    const owed = due(changedAt, Date.now());
    await pass(client, plan);
    await assertDone(plan, owed);
    assert.deepEqual(await held(plan.dagId), before);
    const runs = await runsOf(plan.dagId);
    for (const tick of due(before.since, changedAt)) assert.ok(!runs.includes(runIdOf(plan.dagId, tick)), new Date(tick).toISOString());
  });
});
