import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, describe, it } from 'mocha';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { watchTemporal } from '../../monitors/temporal-watch.ts';
import { acknowledgeIncident, listIncidents, resolveIncident, showIncident } from '../../temporal/monitors/incidents.ts';
import { decideApproval } from '../../temporal/runs/decisions.ts';
import { operateRun } from '../../temporal/runs/operations.ts';
import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import { ensureMonitor } from '../../temporal/monitors/ensure-monitor.ts';
import { expectPipelines } from '../../temporal/monitors/expect-pipelines.ts';
import type { MonitorGroup } from '../../temporal/monitors/monitors.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { incidentId, type MonitorSettings, monitorId, probeId, type Observation } from '../../workflows/plan/incidents/incident.ts';
import type { Plan, TaskPlan } from '../../workflows/plan/plan.ts';
import type { SlaPlan } from '../../workflows/plan/incidents/sla.ts';
import { compiler } from '../support/compiler.ts';
import { eventually } from '../support/eventually.ts';
import { heartbeatUntil } from '../support/heartbeat-until.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { createTestMonitors } from '../support/test-monitors.ts';
import { testStack } from '../support/test-stack.ts';
import { toyActivities } from '../support/toy-activities.ts';
import { withHash } from '../../compiler/resolve/emit.ts';

/** Patience, scaled: seconds for minutes. */
const SETTINGS: MonitorSettings = { everyMs: 500, graceMs: 1_000, neverStartedMs: 60_000, silenceMs: 3_000, sensorMs: 2_000 };
const PAGERDUTY = { pagerduty: { connection: 'pagerduty_default' } };

describe('monitors', function () {
  this.timeout('2m');
  const taskQueue = `watched-${randomUUID().slice(0, 8)}`;
  let environment: Record<string, string>;
  let pagerDuty: PagerDutyStandIn;
  let inbox: Inbox;
  let worker: TestWorker;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;
  const released = new Set<string>();

  const activities = {
    ...toyActivities,
    /** Succeeds once its run's pipeline was released. */
    wait_for_release: async (): Promise<null> => {
      const { Context } = await import('@temporalio/activity');
      const { info } = Context.current();
      await heartbeatUntil(() => released.has(info.workflowType ?? ''));
      return null;
    },
  };

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    pagerDuty = await PagerDutyStandIn.start();
    inbox = await openInbox();
    environment = { ...stack.environment, ...pagerDuty.environment, SLUICE_CONN_ANALYSTS: `${inbox.url}/slack` };
    worker = await startTestWorker(environment, activities, taskQueue);
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    await ensureMonitor(worker.client, taskQueue, SETTINGS);
  });
  after(async () => {
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await worker.client.workflow.getHandle(id).terminate();
    monitors.shutdown();
    await monitoring;
    await worker.close();
    inbox.close();
    await pagerDuty.close();
  });
  afterEach(() => {
    assert.deepEqual(pagerDuty.complaints, []);
  });

  async function apply(name: string, tasks: readonly TaskPlan[], more: Partial<Plan> = {}): Promise<Plan> {
    const dagId = `${name}_${randomUUID().slice(0, 8)}`;
    const plan = withHash(
      planOf(dagId, tasks, { schedule: { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' }, alerts: PAGERDUTY, ...more }),
    );
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, taskQueue);
    return plan;
  }
  const startRun = (plan: Plan, id = 'x') => startManualRun(worker.client, plan, taskQueue, SOME_DAY, id);
  const key = (plan: Plan, what: string): string => `${plan.dagId}/${what}/${SOME_DAY.start}`;
  const told = (of: string, ...actions: string[]): Promise<void> =>
    eventually(() => Promise.resolve(assert.deepEqual(pagerDuty.actionsOf(of), actions)), 40_000);
  const within = (ms: number): SlaPlan => ({ name: 'in_time', promise: { kind: 'within', ms, reference: 'started_at' }, suppressWhen: [] });

  it('page for a run that failed, with what one needs at night, once; and resolve it when a rerun has passed', async () => {
    const plan = await apply('fails', [task('good', 'ok'), task('bad', 'fail', ['good'])], {
      critical: true,
      owner: 'data-team',
      alerts: { pagerduty: { connection: 'pagerduty_default', runbook: 'https://wiki/sales' } },
    });
    await startRun(plan);
    await told(key(plan, 'failed'), 'trigger');
    const event = pagerDuty.events.find(({ dedup_key }) => dedup_key === key(plan, 'failed'));
    assert.match(
      event?.payload.summary ?? '',
      new RegExp(`^Task bad failed: the reason \\| ${plan.dagId}, data of 2024-01-01, since [^.]*Z$`),
    );
    assert.equal(event?.payload.severity, 'critical');
    const details = event?.payload.custom_details ?? {};
    assert.deepEqual(
      [details.failing_task, details.attempt, details.error, details.owner, details.run, details.interval],
      ['bad', 1, 'the reason', 'data-team', `${plan.dagId}/manual/x`, '2024-01-01T00:00:00Z – 2024-01-02T00:00:00Z'],
    );
    assert.match(String(details.next_tick), /^\d{4}-01-01T00:00:00Z$/);
    assert.deepEqual(
      event?.links.map(({ text }) => text),
      ['The run in the Temporal UI', 'Runbook'],
    );
    // What the Temporal UI shows of the incident without a worker.
    const incident = await worker.client.workflow.getHandle(incidentId(key(plan, 'failed'))).describe();
    assert.match((await incident.staticSummary()) ?? '', /^Task bad failed: the reason \| /);
    assert.match((await incident.staticDetails()) ?? '', /^failing_task: bad$[^]*^to_run_it_again: sluice rerun /m);
    await delay(2_000);
    await startManualRun(worker.client, { ...plan, tasks: [task('good', 'ok')] }, taskQueue, SOME_DAY, 'again');
    await told(key(plan, 'failed'), 'trigger', 'resolve');
    assert.equal((await showIncident(worker.client, key(plan, 'failed'))).state, 'resolved');
  });

  it('notify those whom a pipeline names of a run that waits for people, once for each task, until it is answered', async () => {
    const dagId = `asks_${randomUUID().slice(0, 8)}`;
    const text = `
dag_id: ${dagId}
params: {model: m7}
alerts: {waiting: {slack: {conn_id: analysts}}}
tasks:
  - {name: ask, type: approval, prompt: "Promote {{ params.model }}?", assignees: [ann, bob], quorum: 2, timeout: 2h, form: {properties: {why: {type: string}}, required: [why]}}
  - {name: sign, type: approval, prompt: "Sign?"}
`;
    const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
    assert.ok(plan, JSON.stringify(diagnostics));
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, taskQueue);
    const { pipelineRunId } = await startRun(plan);
    const said = (): string[] => inbox.seen.map(({ body }) => String(body.text).split(' | ')[0] ?? '');
    const are = (...lines: string[]): Promise<void> => eventually(() => Promise.resolve(assert.deepEqual(said(), lines)), 40_000);
    const asks = '*Waits for a decision*: Waits for approval of ask: Promote m7?';
    await are(`✋ ${asks}`);
    const { page } = await showIncident(worker.client, `${dagId}/waits:ask/manual/x`);
    const { question, assignees, votes, form, to_decide } = page.details;
    assert.deepEqual(
      [question, assignees, votes, form, to_decide],
      ['Promote m7?', 'ann, bob', '0 of 2', 'why (string, required)', `sluice decide ${pipelineRunId} ask approve|reject --form '{…}'`],
    );
    // Neither one vote of two nor a pause is an answer.
    await operateRun(worker.client, pipelineRunId, 'pause', { by: 'ann' });
    await decideApproval(worker.client, pipelineRunId, { task: 'ask', decision: 'approve', by: 'ann', form: { why: 'x' } });
    await delay(2_000);
    await are(`✋ ${asks}`);
    await operateRun(worker.client, pipelineRunId, 'unpause', { by: 'ann' });
    await decideApproval(worker.client, pipelineRunId, { task: 'ask', decision: 'approve', by: 'bob', form: { why: 'x' } });
    const over = [`✋ ${asks}`, '✅ *No longer waits*: Waits for approval of ask: Promote m7?'];
    const signs = 'Waits for approval of sign: Sign?';
    await eventually(
      () => Promise.resolve(assert.deepEqual(said().sort(), [...over, `✋ *Waits for a decision*: ${signs}`].sort())),
      40_000,
    );
    await worker.client.workflow.getHandle(pipelineRunId).terminate();
    await eventually(() => Promise.resolve(assert.ok(said().includes(`✅ *No longer waits*: ${signs}`))), 40_000);
    assert.equal(said().length, 4);
    assert.deepEqual(
      pagerDuty.events.filter(({ dedup_key }) => dedup_key.startsWith(dagId)),
      [],
    );
  });

  it('warn, then page for a run that takes too long, and resolve when it has ended well', async () => {
    const plan = await apply('hangs', [task('a', 'wait_for_release')], { slas: [{ ...within(6_000), warnAt: { part: 0.5 } }] });
    await startRun(plan);
    const of = key(plan, 'in_time');
    await told(`${of}/warning`, 'trigger');
    assert.equal((await showIncident(worker.client, of)).state, 'warned');
    await told(of, 'trigger');
    await told(`${of}/warning`, 'trigger', 'resolve');
    released.add(plan.dagId);
    await told(of, 'trigger', 'resolve');
  });

  it('page for a task that takes too long', async () => {
    const plan = await apply('slow_task', [task('a', 'wait_for_release')], { slas: [{ ...within(2_000), task: 'a' }] });
    await startRun(plan);
    await told(key(plan, 'a.in_time'), 'trigger');
    released.add(plan.dagId);
    await told(key(plan, 'a.in_time'), 'trigger', 'resolve');
  });

  it('page for outputs that do not meet their SLA, with their values', async () => {
    const condition = 'outputs.compare.discrepancy <= 0.001';
    const slas: SlaPlan[] = [{ name: 'agree', promise: { kind: 'assert', condition }, suppressWhen: [] }];
    const comparing = (discrepancy: number): TaskPlan[] => [task('compare', 'ok', [], { params: { give: { discrepancy } } })];
    const plan = await apply('compares', comparing(0.002), { slas });
    await startRun(plan);
    await told(key(plan, 'agree'), 'trigger');
    const event = pagerDuty.events.find(({ dedup_key }) => dedup_key === key(plan, 'agree'));
    assert.match(event?.payload.summary ?? '', /outputs.compare.discrepancy is 0.002/);
    await startManualRun(worker.client, { ...plan, tasks: comparing(0.001) }, taskQueue, SOME_DAY, 'repaired');
    await told(key(plan, 'agree'), 'trigger', 'resolve');
  });

  it('page for a dataset that is not updated in time, and resolve when any pipeline has updated it', async () => {
    const uri = `s3://warehouse/${randomUUID()}`;
    const maker = await apply('makes_sales', [task('a', 'ok')], { outlets: [uri], alerts: {} });
    await startRun(maker, 'first');
    const promise = { kind: 'within', ms: 4_000, reference: 'previous_success' } as const;
    const plan = await apply('promises_sales', [task('a', 'ok')], {
      slas: [{ name: 'fresh', dataset: uri, promise, suppressWhen: [] }],
    });
    // Its own success changes nothing.
    await startRun(plan);
    const of = `${plan.dagId}/fresh/freshness`;
    await told(of, 'trigger');
    const { summary } = pagerDuty.events.find(({ dedup_key }) => dedup_key === of)?.payload ?? {};
    assert.match(summary ?? '', new RegExp(`^Stale: no update of ${uri} in 4s, due by .* UTC; the last was at .* UTC \\| ${plan.dagId}`));
    await startRun(maker, 'second');
    await told(of, 'trigger', 'resolve');
    await worker.client.schedule.getHandle(plan.dagId).delete();
  });

  it('page for runs that were never started, and resolve when they were', async () => {
    const plan = await apply('forgotten', [task('a', 'ok')], { schedule: { kind: 'every', everyMs: 5_000, timezone: 'UTC' } });
    // Somebody has edited the Schedule by hand: it fires no more.
    await worker.client.schedule.getHandle(plan.dagId).update((schedule) => ({ ...schedule, spec: {} }));
    const missing = (): string[] => [...pagerDuty.opened.keys()].filter((each) => each.startsWith(`${plan.dagId}/missing/`));
    await eventually(() => Promise.resolve(assert.ok(missing().length > 0)), 40_000);
    await worker.client.schedule.getHandle(plan.dagId).delete();
    await eventually(() => Promise.resolve(assert.ok(missing().every((each) => !pagerDuty.open.has(each)))), 40_000);
    for (const each of missing()) assert.equal(pagerDuty.opened.get(each), 1);
  });

  it('page for a schedule that is gone while its file is there', async () => {
    const dagId = `gone_${randomUUID().slice(0, 8)}`;
    await expectPipelines(worker.client, taskQueue, { project: 'acme', expected: [dagId], broken: [] });
    await told(`schedule/${dagId}`, 'trigger');
    await expectPipelines(worker.client, taskQueue, { project: 'acme', expected: [], broken: [] });
    await told(`schedule/${dagId}`, 'trigger', 'resolve');
  });

  it('take acknowledgements and resolutions from people, which do not come back', async () => {
    const plan = await apply('looked_after', [task('bad', 'fail')]);
    await startRun(plan);
    const of = key(plan, 'failed');
    await told(of, 'trigger');
    assert.equal(await acknowledgeIncident(worker.client, of, { by: 'ann', reason: 'on it' }), 'acknowledged by ann');
    await told(of, 'trigger', 'acknowledge');
    const listed = (await listIncidents(worker.client, taskQueue)).find((each) => each.key === of);
    assert.equal(listed?.state?.state, 'acknowledged');
    await resolveIncident(worker.client, of, { by: 'ann' });
    await told(of, 'trigger', 'acknowledge', 'resolve');
    await delay(2_000);
    assert.equal(pagerDuty.opened.get(of), 1);
  });

  it('fire each deadline once while the file is edited a hundred times', async () => {
    const tasks = [task('a', 'wait_for_release')];
    const plan = await apply('edited', tasks, { slas: [within(5_000)] });
    await startRun(plan);
    for (let edit = 0; edit < 100; edit++) {
      const edited = withHash({ ...plan, description: `edit ${edit}`, ...(edit % 2 === 1 && { slas: [within(60_000)] }) });
      await applyChange(worker.client, { dagId: plan.dagId, action: 'update', detail: '', plan: edited }, taskQueue);
      await delay(60);
    }
    await told(key(plan, 'in_time'), 'trigger');
    released.add(plan.dagId);
    await told(key(plan, 'in_time'), 'trigger', 'resolve');
    assert.equal(pagerDuty.opened.get(key(plan, 'in_time')), 1);
  });

  it('make one incident of many failures with one cause', async () => {
    const plans = await Promise.all(Array.from({ length: 30 }, () => apply('storm', [task('bad', 'fail')])));
    // They are seen together: nobody looks while they begin.
    monitors.shutdown();
    await monitoring;
    await Promise.all(plans.map((plan) => startRun(plan)));
    await delay(2_000);
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    const storms = (): string[] => [...pagerDuty.opened.keys()].filter((each) => each.startsWith(`${taskQueue}/storm/`));
    await eventually(() => Promise.resolve(assert.equal(storms().length, 1)), 40_000);
    const event = pagerDuty.events.find(({ dedup_key }) => dedup_key === storms()[0]);
    assert.equal((event?.payload.custom_details.problems as string[]).length, 30);
    assert.equal([...pagerDuty.opened.keys()].filter((each) => each.startsWith('storm_')).length, 0);
    await Promise.all(
      plans.map((plan) => startManualRun(worker.client, { ...plan, tasks: [task('a', 'ok')] }, taskQueue, SOME_DAY, 'again')),
    );
    await eventually(() => Promise.resolve(assert.ok(!pagerDuty.open.has(storms()[0] ?? ''))), 40_000);
  });

  it('page once for dead workers, not for all that they hold up, and resolve when they are back', async () => {
    const plan = await apply('stands_still', [task('a', 'wait_for_release')], { slas: [within(6_000)] });
    await startRun(plan);
    await delay(1_000);
    await worker.close();
    await told(`workers/${taskQueue}`, 'trigger');
    await delay(5_000);
    assert.deepEqual(pagerDuty.actionsOf(key(plan, 'in_time')), []);
    released.add(plan.dagId);
    worker = await startTestWorker(environment, activities, taskQueue);
    await told(`workers/${taskQueue}`, 'trigger', 'resolve');
    assert.equal(pagerDuty.opened.get(`workers/${taskQueue}`), 1);
  });

  describe('incidents', () => {
    const facts = () => new TemporalFacts(worker.client, taskQueue, environment);
    const seen = (state: Observation['state'], summary = 'x'): Observation => ({
      state,
      alerts: PAGERDUTY,
      page: { summary, severity: 'error', source: 's', kind: 'test', since: '2024-01-01T00:00:00Z', details: {}, links: [] },
    });

    it('page once through every failure of PagerDuty', async () => {
      const of = `trouble/${randomUUID()}`;
      const status = (code: number) => ({ kind: 'status', status: code }) as const;
      pagerDuty.faults.push(
        ...Array.from({ length: 5 }, () => status(429)),
        status(500),
        { kind: 'status', status: 502, body: '<html>', type: 'text/html' },
        { kind: 'reset' },
        { kind: 'accept-and-hang-up' },
      );
      await facts().observe(of, seen('breach'));
      await eventually(async () => assert.equal((await showIncident(worker.client, of)).state, 'triggered'), 60_000);
      await facts().observe(of, seen('over'));
      await eventually(async () => assert.equal((await showIncident(worker.client, of)).state, 'resolved'), 20_000);
      assert.equal(pagerDuty.opened.get(of), 1);
      assert.ok(!pagerDuty.open.has(of));
    });

    it('that flap stay in order: none is resolved before it was accepted, none stays open', async () => {
      const keys = Array.from({ length: 40 }, () => `flapping/${randomUUID()}`);
      pagerDuty.faults.push(
        ...Array.from({ length: 20 }, (_, index) => ({ kind: 'status', status: index % 2 === 0 ? 500 : 503 }) as const),
      );
      const all = facts();
      pagerDuty.mostAtOnce = 0;
      for (const state of ['breach', 'over', 'breach', 'over', 'breach', 'over'] as const)
        await Promise.all(keys.map((each) => all.observe(each, seen(state))));
      await eventually(async () => {
        for (const each of keys) assert.equal((await showIncident(worker.client, each)).state, 'resolved');
      }, 90_000);
      for (const each of keys) assert.ok(!pagerDuty.open.has(each));
      assert.equal(pagerDuty.mostAtOnce, 1);
    });

    it('are refused permanently by a wrong key, and show it', async () => {
      const of = `refused/${randomUUID()}`;
      pagerDuty.faults.push({ kind: 'status', status: 400, body: '{"status":"invalid event","errors":["routing_key is wrong"]}' });
      await facts().observe(of, seen('breach'));
      await eventually(async () =>
        assert.match((await showIncident(worker.client, of)).channels[0]?.trouble ?? '', /400.*routing_key is wrong/),
      );
      await facts().observe(of, seen('over'));
      await eventually(async () => assert.equal((await showIncident(worker.client, of)).state, 'resolved'));
      assert.deepEqual(pagerDuty.actionsOf(of), []);
    });
  });

  it('page for Temporal itself, without it', async () => {
    const stop = new AbortController();
    let answers = false;
    const name = `temporal-${randomUUID()}`;
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const watching = watchTemporal({
      ask: () => (answers ? Promise.resolve() : Promise.reject(new Error('away'))),
      connections: connectionsFrom(environment),
      secrets: new Scrubber([]),
      connection: 'pagerduty_default',
      name,
      log,
      signal: stop.signal,
      patienceMs: 3_000,
    });
    await told(`sluice/temporal/${name}`, 'trigger');
    answers = true;
    await told(`sluice/temporal/${name}`, 'trigger', 'resolve');
    stop.abort();
    await watching;
  });
});
