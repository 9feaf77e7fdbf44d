import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Checked, MonitorFacts, SensorFacts } from '../../monitors/facts.ts';
import { runCheckCycle } from '../../monitors/check-cycle.ts';
import type { WatchedPipeline, WatchedRun } from '../../monitors/watched.ts';
import {
  type KnownBrokenFile,
  type MonitorMemory,
  type Observation,
  DEFAULT_MONITOR_SETTINGS,
} from '../../workflows/plan/incidents/incident.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';
import { noFacts, noServers } from '../support/no-facts.ts';
import { planOf, task } from '../support/plans.ts';

const BEGIN = Date.parse('2024-01-02T03:00:00Z');
const AT_REST: SensorFacts = { id: 'sensor/shop/views', dagId: 'shop', state: 'running', events: 100, rate: 10, lag: 0, lost: 0 };
const VIEWS: TriggerPlan = { name: 'views', type: 'kafka', mode: { kind: 'each' }, onInvalid: 'dead_letter', parallelism: 1, source: {} };

/** A deployment of one pipeline with one sensor, which is looked at every ten seconds. */
class Deployment implements MonitorFacts {
  told: string[] = [];
  observations: Observation[] = [];
  readonly plan = planOf('shop', [task('a', 'ok')], { triggers: [VIEWS], critical: true, owner: 'sales' });
  private memory: MonitorMemory = { open: {}, since: {} };
  private now = BEGIN;
  standing: SensorFacts[] = [AT_REST];
  answers = true;
  applied = true;
  runs: WatchedRun[] = [];
  paused: string | undefined;

  constructor(expected: readonly string[] = []) {
    this.memory = { ...this.memory, expected };
  }

  set brokenFiles(broken: readonly KnownBrokenFile[]) {
    this.memory = { ...this.memory, files: { at: '2024-01-02T03:00:00Z', broken } };
  }

  /** Looks for so many seconds. @returns what incidents were told of meanwhile, in order */
  async after(seconds: number, change: (second: number) => void = () => undefined): Promise<string[]> {
    this.told = [];
    for (let second = 0; second < seconds; second += 10) {
      change(second);
      const call = { taskQueue: 'q', settings: DEFAULT_MONITOR_SETTINGS, memory: this.memory, now: new Date(this.now).toISOString() };
      this.memory = (await runCheckCycle(call, this, noServers)).memory;
      this.now += 10_000;
    }
    return this.told;
  }

  unchecked = new Map<string, string>();

  pipelines = (): Promise<Checked<WatchedPipeline[]>> => {
    const found = this.applied ? [{ plan: this.plan, createdAt: BEGIN, ...this.pause(), runs: this.runs, updates: new Map() }] : [];
    return Promise.resolve({ found, unchecked: this.unchecked });
  };
  private pause = () => ({ paused: this.paused !== undefined, ...(this.paused !== undefined && { note: this.paused }) });
  workersAnswer = (): Promise<boolean> => Promise.resolve(this.answers);
  sensors = (): Promise<Checked<SensorFacts[]>> => Promise.resolve({ found: this.standing, unchecked: new Map() });
  connectors = noFacts.connectors;
  lostIncidents = () => Promise.resolve(new Map());
  runDetails = () => Promise.resolve({ rows: {} });
  lastSuccess = () => Promise.resolve(undefined);
  nextTick = () => undefined;
  urlOf = () => undefined;
  urlOfRuns = () => undefined;
  observe = (incident: string, observation: Observation): Promise<undefined> => {
    this.told.push(`${observation.state} ${incident}`);
    this.observations.push(observation);
    return Promise.resolve(undefined);
  };
}

describe('a check of sensors', () => {
  const cases: readonly [what: string, key: string, more: Partial<SensorFacts>, seconds: number, says: RegExp][] = [
    [
      'has stopped',
      'stopped',
      { state: 'stopped', why: 'the query fails' },
      0,
      /^Has stopped: the query fails \| sensor shop\/views, since [^.]*Z$/,
    ],
    ['is held up for 2 m', 'trouble', { problem: 'no broker answers' }, 120, /^Blocked: no broker answers \| sensor shop\/views, /],
    ['stands still with events to read for 2 m', 'stalled', { lag: 7, rate: 0 }, 120, /^Has made no progress, 7 events behind, for 2m \| /],
    ['loses events', 'lost', { lost: 3 }, 0, /^Has lost 3 events: their source removed them before they were read \| /],
  ];
  for (const [what, key, more, seconds, says] of cases) {
    it(`that ${what}: one page, over when it is well again`, async () => {
      const shop = new Deployment();
      assert.deepEqual(await shop.after(60), []);
      shop.standing = [{ ...AT_REST, ...more }];
      assert.deepEqual(await shop.after(seconds), []);
      assert.deepEqual(await shop.after(60), [`breach sensor/shop/views/${key}`]);
      const { page } = shop.observations[0] as Observation;
      assert.match(page.summary, says);
      assert.deepEqual([page.kind, page.severity, page.since], [`sensor_${key}`, 'critical', '2024-01-02T03:01:00Z']);
      shop.standing = [AT_REST];
      assert.deepEqual(await shop.after(60), [`over sensor/shop/views/${key}`]);
    });
  }

  it('that needs more than 5 m for what waits, for 2 m: one page, over when it has caught up', async () => {
    const shop = new Deployment();
    const reads =
      (lag: number) =>
      (second: number): void =>
        void (shop.standing = [{ ...AT_REST, events: lag + second, lag }]);
    assert.deepEqual(await shop.after(600, reads(2_900)), []);
    assert.deepEqual(await shop.after(600, reads(6_000)), ['breach sensor/shop/views/lagging']);
    assert.match(shop.observations[0]?.page.summary ?? '', /^Lags: 6000 events wait, 10m of work at 10 a second \| /);
    assert.deepEqual(await shop.after(60, reads(1_000)), ['over sensor/shop/views/lagging']);
  });

  it('that is gone while its pipeline is there: one page after a minute, over when it is there again', async () => {
    const shop = new Deployment();
    shop.standing = [];
    assert.deepEqual(await shop.after(60), []);
    assert.deepEqual(await shop.after(60), ['breach sensor/shop/views/missing']);
    shop.standing = [AT_REST];
    assert.deepEqual(await shop.after(60), ['over sensor/shop/views/missing']);
  });

  it('that was paused, that makes no progress now and then, or that cannot be queried: nothing', async () => {
    const shop = new Deployment();
    shop.standing = [{ ...AT_REST, state: 'paused', lag: 100, rate: 0 }];
    assert.deepEqual(await shop.after(600), []);
    assert.deepEqual(
      await shop.after(600, (second) => (shop.standing = [{ ...AT_REST, rate: 0, lag: 5, events: Math.floor(second / 100) }])),
      [],
    );
    shop.standing = [];
    shop.answers = false;
    assert.deepEqual(await shop.after(20), []);
  });
});

describe('a check of runs that wait for people', () => {
  it('one message for each, also when workers or the run do not answer for a while; over when it is answered, or the run has ended', async () => {
    const shop = new Deployment();
    const plan = { ...shop.plan, waitingAlerts: { slack: { connection: 'analysts' } } };
    const run = { pipelineRunId: 'shop/x', temporalRunId: 'x', cause: 'manual', queuedAt: BEGIN, hasStarted: true, plan };
    const waits = [{ task: 'ask', kind: 'approval', since: BEGIN, prompt: 'Go?' }] as const;
    const silent = { ...run, state: 'approval' };
    for (const end of [{ ...run, state: 'running', waits: [] }, { ...run, state: 'success', endedAt: BEGIN }, undefined]) {
      shop.runs = [{ ...silent, waits }];
      assert.deepEqual(await shop.after(20), ['breach shop/waits:ask/x']);
      shop.runs = [silent];
      assert.deepEqual(await shop.after(60), []);
      shop.answers = false;
      shop.runs = [{ ...silent, state: 'paused' }];
      assert.deepEqual(await shop.after(20), []);
      shop.answers = true;
      shop.runs = end ? [end] : [];
      assert.deepEqual(await shop.after(20), ['over shop/waits:ask/x']);
    }
  });

  it('new ones are reported while workers have just recovered: dead workers do not explain them', async () => {
    const shop = new Deployment();
    shop.answers = false;
    assert.deepEqual(await shop.after(40), ['breach workers/q']);
    shop.answers = true;
    const plan = { ...shop.plan, waitingAlerts: { slack: { connection: 'analysts' } } };
    const waits = [{ task: 'load', kind: 'held', since: BEGIN, error: 'no disk' }] as const;
    shop.runs = [
      { pipelineRunId: 'shop/x', temporalRunId: 'x', cause: 'manual', state: 'held', queuedAt: BEGIN, hasStarted: true, plan, waits },
    ];
    assert.deepEqual((await shop.after(10)).sort(), ['breach shop/held/x', 'breach shop/waits:load/x', 'over workers/q']);
  });
});

describe('a check of schedules', () => {
  it('one that is gone while its file is there: one page after a minute, over when it is there again', async () => {
    const shop = new Deployment(['shop']);
    shop.standing = [];
    shop.applied = false;
    assert.deepEqual(await shop.after(60), []);
    assert.deepEqual(await shop.after(60), ['breach schedule/shop']);
    shop.applied = true;
    shop.standing = [AT_REST];
    assert.deepEqual(await shop.after(20), ['over schedule/shop']);
  });

  it('one that is paused by an unknown operator: one page after a minute, over when it is resumed or explained', async () => {
    const shop = new Deployment();
    for (const explained of [undefined, 'paused by ana: the warehouse moves']) {
      shop.paused = 'as you like it';
      assert.deepEqual(await shop.after(60), []);
      assert.deepEqual(await shop.after(60), ['breach paused/shop']);
      assert.match(
        shop.observations.findLast(({ state }) => state === 'breach')?.page.summary ?? '',
        /^Paused, and not by `sluice pause`: its runs do not start \(noted: as you like it\) \| shop, since /,
      );
      shop.paused = explained;
      assert.deepEqual(await shop.after(60), ['over paused/shop']);
    }
  });
});

describe('a check of pipeline files', () => {
  it('with mistakes: a warning after 15 m, over when they are mended', async () => {
    const shop = new Deployment();
    shop.brokenFiles = [{ file: 'shop.yaml', dagId: 'shop', mistake: '3:1 SL201 x', mistakes: 2, since: '2024-01-02T03:00:00Z' }];
    assert.deepEqual(await shop.after(900), []);
    assert.deepEqual(await shop.after(60), ['breach file/shop.yaml']);
    const { page } = shop.observations[0] as Observation;
    assert.equal(page.summary, 'Cannot be applied: 3:1 SL201 x, and 1 more | shop.yaml, since 2024-01-02T03:00:00Z');
    assert.equal(page.severity, 'warning');
    assert.match(String(page.details.what_to_do), /sluice validate shop\.yaml.*Its owner is sales/);
    shop.brokenFiles = [];
    assert.deepEqual(await shop.after(20), ['over file/shop.yaml']);
  });
});
