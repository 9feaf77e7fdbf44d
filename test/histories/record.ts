import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { connectionsFrom } from '../../connections/connections.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { startBackfill } from '../../temporal/schedules/backfills.ts';
import { acknowledgeIncident, showIncident } from '../../temporal/monitors/incidents.ts';
import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import { ensureMonitor } from '../../temporal/monitors/ensure-monitor.ts';
import { expectPipelines } from '../../temporal/monitors/expect-pipelines.ts';
import { createMonitorWorkers } from '../../temporal/monitors/monitors.ts';
import { resizePool } from '../../temporal/pools/pools.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import { incidentId, monitorId, type Observation, probeId, DEFAULT_MONITOR_SETTINGS } from '../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type RunEvent } from '../../workflows/plan/trigger.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { casePlan } from '../workflows/run/language-cases.ts';
import { eventually } from '../support/eventually.ts';
import { tasksOf } from '../support/toy-language.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startTestWorker } from '../support/temporal-worker.ts';
import { stopTestStack, testStack } from '../support/test-stack.ts';
import { toyActivities } from '../support/toy-activities.ts';

/** A server remembers the pools of earlier recordings, and their workers are gone. */
const POOL = `recorded_${randomUUID().slice(0, 8)}`;

/** No compiler lets it through today; Temporal's own UI starts runs with such plans. */
const THIRTIETH: Plan['params'] = { day: { schema: { type: 'string', format: 'date' }, default: '2024-02-30' } };

/**
 * Records histories of the interpreter as it is now, into this folder: `npx tsx test/histories/record.ts [name…]`. A file that exists is
 * kept, because it is what runs in flight look like: delete it only when its feature was never released.
 */
type Feature = RunFeature | { readonly start: () => Promise<string>; readonly cancel?: boolean; readonly updates?: undefined };

interface RunFeature {
  readonly plan: Plan;
  readonly backfill?: boolean;
  readonly sensor?: boolean;
  readonly event?: RunEvent;
  /** Cancelled at the end. */
  readonly cancel?: boolean;
  readonly updates?: readonly [name: string, decision: object][];
}

const FEATURES: Record<string, Feature> = {
  chain: { plan: planOf('chain', [task('a', 'make_data', [], { outputBase: 's3://b/chain/a' }), task('b', 'tell_input', ['a'], { inputFrom: 'a' }), task('c', 'succeed', ['b'])]) },
  'trigger-rules': {
    plan: planOf('trigger_rules', [
      task('a', 'fail', [], { allowFailure: true }),
      task('b', 'succeed'),
      task('c', 'succeed', ['a', 'b'], { triggerRule: 'one_failed' }),
      task('d', 'succeed', ['a', 'b'], { triggerRule: 'all_failed' }),
      task('e', 'succeed', ['d'], { triggerRule: 'none_failed' }),
      task('f', 'succeed', ['a']),
    ]),
  },
  retries: { plan: planOf('retries', [task('a', 'fail_twice', [], { retry: { maximumAttempts: 3, initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 } })]) },
  'run-timeout': { plan: planOf('run_timeout', [task('a', 'hang', [], { heartbeatTimeoutMs: 1000 }), task('b', 'succeed', ['a'])], { runTimeoutMs: 500 }) },
  cancellation: { plan: planOf('cancellation', [task('a', 'hang', [], { heartbeatTimeoutMs: 1000 }), task('b', 'succeed', ['a'])]), cancel: true },
  expressions: {
    plan: casePlan('a: ok with {give: {rows: 3, day: "{{ data_interval_start - duration(\\"24h\\") }}"}}; b: ok with {when: outputs.a.rows > params.least, give: "{{ outputs.a.rows / 2 }}"}', {
      file: { params: { least: 2 } },
    }),
  },
  switch: { plan: casePlan('s: ok with {give: big, switch: {on: outputs.s, cases: {big: [a], small: [b]}}}; a: ok after s; b: ok after s; j: ok after a, b if none_failed_min_one_success', {}) },
  'groups-and-handlers': {
    plan: casePlan('x: ok with {group: g}; y: fail after x with {group: g}; z: ok after g', { on_failure: 'tell: ok; log: ok', on_success: 'cheer: ok', finally: 'clean: ok' }),
  },
  expand: {
    plan: casePlan('a: ok with {give: [1, 2, 3, 4, 5]}; b: ok with {expand: {over: outputs.a, max_parallel: 2}, give: "{{ item * 2 }}"}; c: ok with {expand: {over: outputs.b, batch_size: 2}, give: "{{ item }}"}; d: ok with {expand: {over: [1, 2], on_item_failure: continue}, poison: "{{ item == 1 }}"}', {}),
  },
  'run-pipeline': { plan: casePlan('p: run_pipeline with {dag_id: child, params: {n: 2}}; b: ok with {when: outputs.p.outputs.x == 2}', { pipelines: { child: { params: { n: 1 }, tasks: tasksOf('x: ok with {give: "{{ params.n }}"}') } } }) },
  approval: { plan: casePlan('ask: approval with {prompt: Go?, timeout: 1h}; b: ok', {}), updates: [['decide', { task: 'ask', decision: 'approve', by: 'ann' }]] },
  held: {
    plan: casePlan('a: fail with {hold_on_failure: 1h}; b: ok after a if none_failed', {}),
    updates: [['resolve-held', { task: 'a', action: 'retry', by: 'ann' }], ['resolve-held', { task: 'a', action: 'skip', by: 'ann' }]],
  },
  'cancellation-and-finally': { plan: casePlan('a: hang with {heartbeat_timeout: 1s}', { finally: 'clean: ok' }), cancel: true },
  limits: { plan: planOf(`limits_${randomUUID().slice(0, 8)}`, [task('a', 'succeed', [], { pool: { name: POOL, slots: 1 } }), task('b', 'succeed', ['a'])], { maxActiveRuns: 1, concurrency: { limit: 2, onOverlap: 'queue' } }) },
  backfill: { plan: planOf(`backfill_${randomUUID().slice(0, 8)}`, [task('a', 'fail_twice', [], { retry: { maximumAttempts: 3, initialDelayMs: 300, backoff: 1, maximumDelayMs: 300 } })], { schedule: { kind: 'cron', cron: '30 2 * * *', timezone: 'Europe/Berlin' } }), backfill: true, updates: [['pause', { by: 'ann', reason: 'the source is down' }], ['resume', { by: 'ann' }]] },
  operations: {
    plan: casePlan('a: hang with {heartbeat_timeout: 1s}; b: ok after a; c: fail after a; d: ok after c; e: hang after a with {heartbeat_timeout: 1s}', {}),
    updates: [['pause', { by: 'ann' }], ['mark-success', { task: 'a', by: 'ann', reason: 'done by hand' }], ['unpause', { by: 'bob' }], ['retry', { task: 'c', by: 'ann' }], ['skip', { task: 'e', by: 'ann' }]],
  },
  'waits-are-shown': {
    plan: casePlan('ask: approval with {prompt: Go?, timeout: 1h}; a: fail after - with {hold_on_failure: 1h}; b: ok after ask, a if all_done', {}),
    updates: [['decide', { task: 'ask', decision: 'approve', by: 'ann' }], ['pause', { by: 'ann' }], ['unpause', { by: 'ann' }], ['resolve-held', { task: 'a', action: 'skip', by: 'ann' }]],
  },
  'waits-in-memo': {
    plan: casePlan('ask: approval with {prompt: Go?, timeout: 1h}; a: fail after - with {hold_on_failure: 1h}; b: ok after ask, a if all_done', {}),
    updates: [['decide', { task: 'ask', decision: 'approve', by: 'ann' }], ['pause', { by: 'ann' }], ['unpause', { by: 'ann' }], ['resolve-held', { task: 'a', action: 'skip', by: 'ann' }]],
  },
  // Recorded with the scopes of the release of 2026-11-27, in which what followed a skipped approval was cancelled with it.
  'followers-cancelled': { plan: casePlan('a: approval with {prompt: Go?}; b: ok after a if none_failed; c: hang after - with {heartbeat_timeout: 1s}', {}), updates: [['skip', { task: 'a', by: 'ann' }], ['skip', { task: 'c', by: 'ann' }]] },
  'scopes-by-name': {
    plan: casePlan('a: approval with {prompt: Go?}; b: ok after a if none_failed; c: ok with {expand: {over: [1, 2]}}', { finally: 'z: hang with {heartbeat_timeout: 1s}; y: ok after z if none_failed' }),
    updates: [['skip', { task: 'a', by: 'ann' }], ['skip', { task: 'z', by: 'ann' }]],
  },
  'partial-success': { plan: casePlan('l: ok with {when: "false"}; m: ok after l if none_failed with {expand: {over: outputs.l}}; a: ok after m if none_failed with {expand: {over: [[1, 2], []], as: row, on_item_failure: continue, expand: {over: row, as: part}}, poison: "{{ part == 1 }}"}; b: ok after a with {when: size(outputs.a) == 2}', {}) },
  // Begun before days had to exist: 30 February was taken for 1 March.
  'day-taken': { plan: planOf('days', [task('a', 'succeed')], { params: THIRTIETH }) },
  'days-exist': { plan: planOf('days', [task('a', 'succeed')], { params: THIRTIETH }) },
  'depends-on-past': {
    plan: planOf(`past_${randomUUID().slice(0, 8)}`, [task('a', 'succeed', [], { dependsOnPast: true }), task('b', 'succeed', ['a'])], { schedule: { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' } }),
  },
  'failure-facts': {
    plan: casePlan('a: flaky with {retries: 1, retry_delay: 10ms}', { on_failure: 'tell: ok with {give: "{{ failure.task }} {{ failure.attempts }} {{ failure.run_url }}"}', finally: 'last: ok with {when: failure != null}' }),
  },
  'queued-and-paused': {
    plan: planOf(`queued_${randomUUID().slice(0, 8)}`, [task('a', 'hang', [], { heartbeatTimeoutMs: 1000 }), task('b', 'succeed', ['a'], { triggerRule: 'none_failed' })], { maxActiveRuns: 1, outlets: ['s3://w/sales'] }),
    updates: [['pause', { by: 'ann' }], ['unpause', { by: 'ann' }], ['skip', { task: 'a', by: 'ann' }]],
  },
  'cancelled-while-paused': { plan: casePlan('a: hang with {heartbeat_timeout: 1s}; b: ok after a', {}), updates: [['pause', { by: 'ann' }]], cancel: true },
  deadline: { plan: planOf('deadline', [task('a', 'succeed')], { slas: [{ name: 'in_time', promise: { kind: 'by', time: '06:00' }, suppressWhen: [] }] }) },
  'long-list': { plan: casePlan('a: ok with {expand: {over: params.list, max_parallel: 500, batch_size: 2}, give: "{{ item }}"}', { file: { params: { list: { type: 'array', items: { type: 'integer' }, default: [...Array(2002).keys()] } } } }) },
  wait: {
    plan: planOf('wait', [
      task('a', 'fail_twice', [], { retry: { maximumAttempts: 0, initialDelayMs: 100, backoff: 1, maximumDelayMs: 100 }, wait: { timeoutMs: 60_000, softFail: false } }),
      task('b', 'fail_twice', [], { retry: { maximumAttempts: 0, initialDelayMs: 2_000, backoff: 1, maximumDelayMs: 2_000 }, wait: { timeoutMs: 1_000, softFail: true } }),
      task('c', 'succeed', ['a', 'b'], { triggerRule: 'none_failed' }),
    ]),
  },
  event: {
    plan: { ...casePlan('a: ok with {when: event.score > 0.7 && event_meta.offset == 3, give: "{{ event.score }}"}', { file: { triggers: [{ name: 'changes', type: 'kafka', topic: 'x' }] } }), outlets: ['s3://w/sales'] },
    event: { value: { score: 0.9 }, meta: { timestamp: '2024-01-31T06:00:00.000Z', offset: 3 } },
  },
  sensor: {
    plan: planOf('sensor', [task('a', 'succeed')], {
      triggers: [{ name: 'changes', type: 'kafka', mode: { kind: 'cooldown', forMs: 60_000 }, onInvalid: 'dead_letter', parallelism: 2, source: { topic: 'x' } }],
    }),
    sensor: true,
    updates: [
      ['pause-sensor', { by: 'ann', reason: 'the topic is being rebuilt' }],
      ['resume-sensor', { by: 'ann' }],
      ['claim-start', { id: '1', at: '2024-01-31T06:00:00.000Z' }],
      ['claim-start', { id: '2', at: '2024-01-31T06:00:30.000Z' }],
    ],
    cancel: true,
  },
  incident: { start: tellIncident },
  monitor: { start: watch, cancel: true },
  'fan-out': { plan: planOf('fan_out', [...Array(40).keys()].map((index) => task(`t${index}`, 'succeed'))) },
};

const wanted = process.argv.slice(2);
const { environment } = await testStack(['temporal']);
const { client, taskQueue, close } = await startTestWorker(environment, toyActivities);
const monitors = await createMonitorWorkers(environment, [taskQueue], (facts) => createMonitors(facts, connectionsFrom(environment), environment), () => undefined);
const monitoring = monitors.run();
await resizePool(client, taskQueue, POOL, 1);
for (const [name, feature] of Object.entries(FEATURES)) {
  const { cancel, updates = [] } = feature;
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const pipelineRunId = 'start' in feature ? await feature.start() : await start(feature);
  const handle = client.workflow.getHandle(pipelineRunId);
  for (const [update, decision] of updates) await eventually(() => handle.executeUpdate(update, { args: [decision] }));
  if (cancel) await handle.cancel();
  await handle.result().catch(() => undefined);
  const file = join(import.meta.dirname, `${name}.json`);
  await writeFile(file, `${JSON.stringify({ pipelineRunId, history: JSON.parse(historyToJSON(await handle.fetchHistory())) as unknown }, null, 1)}\n`, { flag: 'wx' })
    .then(() => process.stderr.write(`recorded ${name}\n`))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      process.stderr.write(`kept ${name}\n`);
    });
}
monitors.shutdown();
await monitoring;
await close();
await stopTestStack();

/** @returns the workflow id */
async function start({ plan, backfill, sensor, event }: RunFeature): Promise<string> {
  if (backfill) {
    const order = { plan, from: Date.parse('2025-03-29'), to: Date.parse('2025-04-02'), reprocess: 'failed', maxActive: 2, reverse: false } as const;
    return (await startBackfill(client, taskQueue, order)).pipelineRunId;
  }
  if (sensor) {
    const id = sensorId(plan.dagId, 'changes');
    await applySensorChange(client, { id, action: 'start', plan, trigger: 'changes' }, taskQueue);
    return id;
  }
  if (event) {
    const starts = createSensorStarts(client, taskQueue);
    const run = { plan, cause: 'kafka', id: randomUUID(), params: {}, event };
    await starts.start(run);
    return starts.idOf(run);
  }
  return (await startManualRun(client, plan, taskQueue, SOME_DAY, randomUUID())).pipelineRunId;
}

/** An incident that warns, triggers, is acknowledged and resolves. @returns the workflow id */
async function tellIncident(): Promise<string> {
  const key = `incident_${randomUUID().slice(0, 8)}/in_time/${SOME_DAY.start}`;
  const facts = new TemporalFacts(client, taskQueue, environment);
  const becomes = (state: string): Promise<void> => eventually(async () => assert.equal((await showIncident(client, key)).state, state));
  const observe = async (state: Observation['state']): Promise<void> => {
    const page = { summary: `is ${state}`, severity: 'error', source: 'incident', kind: 'late', since: SOME_DAY.end, details: { task: 'a' }, links: [] } as const;
    await facts.observe(key, { state, page, alerts: { pagerduty: { connection: 'pagerduty_default' }, slack: { connection: 'slack_default' } } });
  };
  await observe('warning');
  await becomes('warned');
  await observe('breach');
  await becomes('triggered');
  await acknowledgeIncident(client, key, { by: 'ann', reason: 'on it' });
  await becomes('acknowledged');
  await observe('over');
  return incidentId(key);
}

/** A monitor that looks some times, and hears in between which pipelines there should be. @returns the workflow id */
async function watch(): Promise<string> {
  await ensureMonitor(client, taskQueue, { ...DEFAULT_MONITOR_SETTINGS, everyMs: 500, graceMs: 1_000 });
  const gone = `gone_${randomUUID().slice(0, 8)}`;
  const becomes = (state: string): Promise<void> => eventually(async () => assert.equal((await showIncident(client, `schedule/${gone}`)).state, state));
  await expectPipelines(client, taskQueue, { project: 'acme', expected: [gone], broken: [] });
  await becomes('triggered');
  await expectPipelines(client, taskQueue, { project: 'acme', expected: [], broken: [] });
  await becomes('resolved');
  await client.workflow.getHandle(probeId(taskQueue)).terminate();
  return monitorId(taskQueue);
}
