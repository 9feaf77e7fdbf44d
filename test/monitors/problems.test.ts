import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { findProblems } from '../../monitors/problems.ts';
import type { WatchedPipeline, WatchedRun } from '../../monitors/watched.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { isUnderWay } from '../../workflows/plan/runs/run.ts';
import type { SlaPlan } from '../../workflows/plan/incidents/sla.ts';
import { planOf, task } from '../support/plans.ts';

const at = (time: string): number => Date.parse(`2024-01-${time.includes('T') ? time : `${time}T00:00`}:00Z`);
const MINUTE = 60_000;

const WITHIN_2H: SlaPlan = { name: 'in_time', promise: { kind: 'within', ms: 2 * 3_600_000, reference: 'started_at' }, suppressWhen: [] };

function plan(more: Partial<Plan> = {}): Plan {
  return planOf('sales', [task('a', 'ok')], { schedule: { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' }, slas: [WITHIN_2H], ...more });
}

/** A run of the interval that begins on a day of January, under `of`. */
function run(of: Plan, day: number, state: string, more: Partial<WatchedRun> = {}): WatchedRun {
  const start = at(String(day).padStart(2, '0'));
  const queuedAt = start + 86_400_000 + 1_000;
  return {
    pipelineRunId: `sales/scheduled-${day}`,
    temporalRunId: `${day}-${state}`,
    cause: 'scheduled',
    state,
    interval: { start: iso(start), end: iso(start + 86_400_000) },
    queuedAt,
    ...(state !== 'queued' && { startedAt: queuedAt }),
    hasStarted: true,
    plan: of,
    ...(isUnderWay(state) ? {} : { endedAt: queuedAt + 10 * MINUTE }),
    ...more,
  };
}

const iso = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');

function problems(of: Plan, runs: readonly WatchedRun[], now: string, more: Partial<WatchedPipeline> = {}): string[] {
  const pipeline: WatchedPipeline = { plan: of, createdAt: at('02'), paused: false, runs, ...more };
  return findProblems(pipeline, at(now), DEFAULT_MONITOR_SETTINGS).map(({ key, state }) => `${state} ${key}`);
}

describe('problems of a pipeline', () => {
  it('a task on hold: of a critical pipeline at once, until an operator decides', () => {
    const critical = plan({ critical: true });
    const held = run(critical, 1, 'held');
    assert.deepEqual(problems(critical, [held], '02T00:02'), [`breach sales/held/${JAN_1}`]);
    assert.deepEqual(problems(critical, [{ ...held, state: 'running' }], '02T00:02'), []);
    const ordinary = plan();
    assert.deepEqual(problems(ordinary, [{ ...held, plan: ordinary }], '02T00:02'), []);
  });

  it('a run that waits for people, where the pipeline names whom to notify: once for each task, and nothing else', () => {
    const ask = { task: 'ask', kind: 'approval', since: at('02T00:01'), prompt: 'Go?' } as const;
    const load = { task: 'load', kind: 'held', since: at('02T00:01'), error: 'no disk' } as const;
    const waitingAlerts = { slack: { connection: 'analysts' } };
    const { slas, ...quiet } = plan({ waitingAlerts });
    assert.ok(slas);
    const waiting = (of: Plan): WatchedRun => run(of, 1, 'held', { waits: [ask, load] });
    const keys = ['breach sales/waits:ask/scheduled-1', 'breach sales/waits:load/scheduled-1'];
    assert.deepEqual(problems(quiet, [waiting(quiet)], '02T00:02'), keys);
    assert.deepEqual(problems(quiet, [run(quiet, 1, 'running', { waits: [] }), run(quiet, 2, 'failed')], '03T12:00'), []);
    assert.deepEqual(problems(plan(), [waiting(plan())], '02T00:02'), []);
    // Whoever is paged at once for a critical pipeline is not notified twice of the same task.
    const held = `breach sales/held/${JAN_1}`;
    const critical: Plan = { ...quiet, critical: true };
    assert.deepEqual(problems(critical, [waiting(critical)], '02T00:02'), [...keys, held]);
    const same: Plan = { ...critical, waitingAlerts: { pagerduty: { connection: 'pagerduty_default' } } };
    assert.deepEqual(problems(same, [waiting(same)], '02T00:02'), [keys[0], held]);
  });

  const JAN_1 = '2024-01-01T00:00:00Z';

  it('none, while all is healthy or there is no SLA', () => {
    assert.deepEqual(problems(plan(), [run(plan(), 1, 'success')], '02T12:00'), []);
    const { slas, ...bare } = plan();
    assert.ok(slas);
    assert.deepEqual(problems(bare, [run(bare, 1, 'failed')], '02T12:00'), []);
  });

  it('a run that should be there and is not; not at once, not while paused, not from before the schedule, not while another holds it up', () => {
    assert.deepEqual(problems(plan(), [], '02T00:00'), []);
    assert.deepEqual(problems(plan(), [], '02T00:02'), [`breach sales/missing/${JAN_1}`]);
    assert.deepEqual(problems(plan(), [], '02T00:02', { paused: true }), []);
    assert.deepEqual(problems(plan(), [], '02T00:02', { createdAt: at('02T00:01') }), []);
    const { slas, ...bare } = plan({ critical: true });
    assert.ok(slas);
    const two = run(bare, 1, 'running');
    assert.deepEqual(
      problems(bare, [two], '03T00:02').filter((each) => each.includes('missing')),
      [],
    );
    assert.deepEqual(
      problems({ ...bare, maxActiveRuns: 3 }, [two], '03T00:02').filter((each) => each.includes('missing')),
      ['breach sales/missing/2024-01-02T00:00:00Z'],
    );
  });

  it('a run that no worker has started', () => {
    const waiting = run(plan(), 1, 'running', { hasStarted: false });
    assert.deepEqual(problems(plan(), [waiting], '02T00:01'), []);
    assert.deepEqual(problems(plan(), [waiting], '02T00:03'), [`breach sales/never_started/${JAN_1}`]);
  });

  for (const state of ['failed', 'timed_out', 'terminated']) {
    it(`a run that has ended as ${state}, until the interval succeeds in any way`, () => {
      const failed = run(plan(), 1, state);
      assert.deepEqual(problems(plan(), [failed], '02T00:20'), [`breach sales/failed/${JAN_1}`]);
      for (const cause of ['rerun', 'backfill', 'manual']) {
        const good = run(plan(), 1, 'success', { cause, queuedAt: at('02T05:00') });
        assert.deepEqual(problems(plan(), [failed, good], '02T06:00'), []);
      }
      assert.deepEqual(problems(plan(), [failed, run(plan(), 2, 'success')], '03T00:20'), [`breach sales/failed/${JAN_1}`]);
    });
  }

  it('a run that an operator has cancelled is none', () => {
    assert.deepEqual(problems(plan(), [run(plan(), 1, 'canceled')], '02T00:20'), []);
  });

  it('a run that takes too long, after a warning', () => {
    const warned = plan({ slas: [{ ...WITHIN_2H, warnAt: { part: 0.5 } }] });
    const running = [run(warned, 1, 'running')];
    assert.deepEqual(problems(warned, running, '02T00:59'), []);
    assert.deepEqual(problems(warned, running, '02T01:01'), [`warning sales/in_time/${JAN_1}`]);
    assert.deepEqual(problems(warned, running, '02T02:01'), [`breach sales/in_time/${JAN_1}`]);
    assert.deepEqual(problems(warned, [run(warned, 1, 'queued')], '02T05:00'), []);
  });

  it('the SLAs of the plan of a run count, not those of the file now; and its key stays the same', () => {
    const longer = plan({ slas: [{ ...WITHIN_2H, promise: { kind: 'within', ms: 9 * 3_600_000, reference: 'started_at' } }] });
    assert.deepEqual(problems(longer, [run(plan(), 1, 'running')], '02T03:00'), [`breach sales/in_time/${JAN_1}`]);
    assert.deepEqual(problems(plan(), [run(longer, 1, 'running')], '02T03:00'), []);
  });

  it('a deadline by the clock, whether there is a run or not; one page for one failure', () => {
    const by = plan({ slas: [{ name: 'by_six', promise: { kind: 'by', time: '06:00' }, suppressWhen: ['paused'] }] });
    assert.deepEqual(problems(by, [run(by, 1, 'running')], '02T06:00'), [`breach sales/by_six/${JAN_1}`]);
    assert.deepEqual(problems(by, [run(by, 1, 'queued')], '02T06:00'), [`breach sales/by_six/${JAN_1}`]);
    assert.deepEqual(problems(by, [run(by, 1, 'failed')], '02T06:00'), [`breach sales/failed/${JAN_1}`]);
    assert.deepEqual(problems(by, [], '02T06:00'), [`breach sales/missing/${JAN_1}`]);
    assert.deepEqual(problems(by, [], '02T06:00', { paused: true }), []);
    const always = plan({ slas: [{ name: 'by_six', promise: { kind: 'by', time: '06:00' }, suppressWhen: [] }] });
    assert.deepEqual(problems(always, [], '02T06:00', { paused: true }), [`breach sales/by_six/${JAN_1}`]);
  });

  it('backfills and runs by hand, unless they are suppressed', () => {
    const quiet = plan({ slas: [{ ...WITHIN_2H, suppressWhen: ['backfill', 'manual'] }] });
    for (const cause of ['backfill', 'manual']) {
      const slow = (of: Plan) => [run(of, 1, 'running', { cause })];
      assert.deepEqual(problems(quiet, slow(quiet), '02T09:00'), []);
      assert.deepEqual(problems(plan(), slow(plan()), '02T09:00'), [`breach sales/in_time/${JAN_1}`]);
    }
  });

  it('a task that takes too long', () => {
    const of = plan({ slas: [{ ...WITHIN_2H, task: 'a' }] });
    const tasks = (hasEnded: boolean) => [{ task: 'a', startedAt: at('02T01:00'), hasEnded }];
    assert.deepEqual(problems(of, [run(of, 1, 'running', { tasks: tasks(false) })], '02T02:30'), []);
    assert.deepEqual(problems(of, [run(of, 1, 'running', { tasks: tasks(false) })], '02T03:00'), [`breach sales/a.in_time/${JAN_1}`]);
    assert.deepEqual(problems(of, [run(of, 1, 'running', { tasks: tasks(true) })], '02T09:00'), []);
  });

  it('freshness: the last success is too long ago, for any state of the runs', () => {
    const fresh: SlaPlan = {
      name: 'fresh',
      promise: { kind: 'within', ms: 30 * 3_600_000, reference: 'previous_success' },
      suppressWhen: [],
    };
    const of = plan({ slas: [fresh] });
    const good = run(of, 1, 'success');
    assert.deepEqual(problems(of, [good], '03T00:00', { lastSuccess: at('02T00:10') }), []);
    assert.deepEqual(problems(of, [good, run(of, 2, 'running')], '03T07:00', { lastSuccess: at('02T00:10') }), [
      'breach sales/fresh/freshness',
    ]);
    assert.deepEqual(
      problems(of, [], '03T05:00', { createdAt: at('02T01:00') }).filter((each) => each.includes('fresh')),
      [],
    );
    assert.deepEqual(
      problems(of, [], '03T08:00', { createdAt: at('02T01:00') }).filter((each) => each.includes('fresh')),
      ['breach sales/fresh/freshness'],
    );
  });

  describe('a dataset', () => {
    const SALES = 's3://warehouse/sales';
    const madeAt = (time: string) => new Map([[SALES, at(time)]]);
    const stale = (of: Plan, now: string, more: Partial<WatchedPipeline>): string[] =>
      problems(of, [], now, { createdAt: at('02T00:00'), ...more }).filter((each) => each.includes('fresh'));
    const within = (more: Partial<SlaPlan> = {}): Plan =>
      plan({
        slas: [
          {
            name: 'fresh',
            dataset: SALES,
            promise: { kind: 'within', ms: 26 * 3_600_000, reference: 'previous_success' },
            suppressWhen: [],
            ...more,
          },
        ],
      });
    const by = (more: Partial<SlaPlan> = {}, schedule = plan().schedule): Plan =>
      plan({ schedule, slas: [{ name: 'fresh', dataset: SALES, promise: { kind: 'by', time: '06:00' }, suppressWhen: [], ...more }] });
    const BREACH = ['breach sales/fresh/freshness'];

    it('that is too old, for any producer and any state of the runs', () => {
      assert.deepEqual(stale(within(), '03T12:00', { updates: madeAt('02T10:00') }), BREACH);
      assert.deepEqual(stale(within(), '03T11:59', { updates: madeAt('02T10:00') }), []);
      assert.deepEqual(stale(within(), '03T12:00', { updates: madeAt('02T10:00'), lastSuccess: at('03T11:00') }), BREACH);
      assert.deepEqual(stale(within(), '03T12:00', { updates: madeAt('02T10:01') }), []);
      assert.deepEqual(stale(within({ warnAt: { part: 0.5 } }), '03T00:00', { updates: madeAt('02T10:00') }), [
        'warning sales/fresh/freshness',
      ]);
    });

    it('that was never made, from the time that its SLA names', () => {
      assert.deepEqual(stale(within(), '03T01:59', {}), []);
      assert.deepEqual(stale(within(), '03T02:00', {}), BREACH);
    });

    it('that was not updated by a time of day, after each tick', () => {
      assert.deepEqual(stale(by(), '03T05:59', { updates: madeAt('02T05:00') }), []);
      assert.deepEqual(stale(by(), '03T06:00', { updates: madeAt('02T05:00') }), BREACH);
      assert.deepEqual(stale(by(), '03T06:00', { updates: madeAt('03T00:01') }), []);
      // What came late yesterday is not today's; it makes good yesterday.
      assert.deepEqual(stale(by(), '02T08:00', { createdAt: at('01'), updates: madeAt('02T07:00') }), []);
      assert.deepEqual(stale(by(), '03T06:00', { updates: madeAt('02T07:00') }), BREACH);
      assert.deepEqual(stale(by({ warnAt: { afterMs: 5 * 3_600_000 } }), '03T05:30', { updates: madeAt('02T07:00') }), [
        'warning sales/fresh/freshness',
      ]);
    });

    it('by the days of a calendar, and while the schedule is paused', () => {
      // 5 January 2024 is a Friday.
      const business = { calendar: { businessDays: true } };
      assert.deepEqual(stale(within(business), '08T11:59', { updates: madeAt('05T10:00') }), []);
      assert.deepEqual(stale(within(business), '08T12:00', { updates: madeAt('05T10:00') }), BREACH);
      assert.deepEqual(stale(by(business), '07T12:00', { updates: madeAt('05T05:00') }), []);
      assert.deepEqual(stale(by(business), '08T06:00', { updates: madeAt('05T05:00') }), BREACH);
      assert.deepEqual(stale(within(), '09T00:00', { updates: madeAt('05T10:00'), paused: true }), BREACH);
      assert.deepEqual(stale(within({ suppressWhen: ['paused'] }), '09T00:00', { updates: madeAt('05T10:00'), paused: true }), []);
    });

    it('of many ticks a day, and one at that very time', () => {
      const hourly = { kind: 'cron', cron: '0 * * * *', timezone: 'UTC' } as const;
      assert.deepEqual(stale(by({}, hourly), '03T06:05', { updates: madeAt('03T05:10') }), []);
      assert.deepEqual(stale(by({}, hourly), '03T06:05', { updates: madeAt('03T04:10') }), BREACH);
    });
  });

  it('a condition over outputs, as the last good run of the interval has it', () => {
    const of = plan({ slas: [{ name: 'agree', promise: { kind: 'assert', condition: 'x' }, suppressWhen: [] }] });
    const broken = new Map([['agree', 'does not agree']]);
    const first = run(of, 1, 'success', { broken });
    assert.deepEqual(problems(of, [first], '02T00:20'), [`breach sales/agree/${JAN_1}`]);
    const again = run(of, 1, 'success', { cause: 'rerun', broken: new Map(), queuedAt: at('02T05:00'), endedAt: at('02T05:10') });
    assert.deepEqual(problems(of, [first, again], '02T06:00'), []);
  });

  it('critical says it all: failed, and late when the next interval is complete', () => {
    const { slas, ...critical } = plan({ critical: true });
    assert.ok(slas);
    assert.deepEqual(problems(critical, [run(critical, 1, 'failed')], '02T00:20'), [`breach sales/failed/${JAN_1}`]);
    assert.deepEqual(problems(critical, [run(critical, 1, 'running')], '02T23:59'), []);
    assert.deepEqual(
      problems(critical, [run(critical, 1, 'running')], '03T00:00').filter((each) => each.includes('late')),
      [`breach sales/late/${JAN_1}`],
    );
  });

  it('a critical pipeline is late when its schedule says that the next interval is complete, not after a weekend more', () => {
    const schedule = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', calendar: { businessDays: true } } as const;
    const { slas, ...critical } = plan({ critical: true, schedule });
    assert.ok(slas);
    const late = (now: string, start: string, end: string): number => {
      const running = run(critical, 5, 'running', { interval: { start, end } });
      return problems(critical, [running], now).filter((each) => each === `breach sales/late/${start}`).length;
    };
    // The interval of Monday 8 January begins on Friday; that of Friday is complete on Friday, the next one on Monday.
    assert.deepEqual(
      ['08T23:59', '09T00:00'].map((now) => late(now, '2024-01-05T00:00:00Z', '2024-01-08T00:00:00Z')),
      [0, 1],
    );
    assert.deepEqual(
      ['06T12:00', '08T00:00'].map((now) => late(now, '2024-01-04T00:00:00Z', '2024-01-05T00:00:00Z')),
      [0, 1],
    );
  });

  it('a run of a rare schedule that should be there and is not', () => {
    const yearly = plan({ schedule: { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' } });
    assert.deepEqual(problems(yearly, [], '01T00:02', { createdAt: at('01') }), ['breach sales/missing/2023-01-01T00:00:00Z']);
  });

  it('without a schedule: each run for itself, and any later good one makes up for it', () => {
    const of = plan({ schedule: null });
    const failed = run(of, 1, 'failed', { pipelineRunId: 'sales/kafka/t-0-1' });
    assert.deepEqual(problems(of, [failed], '02T00:20'), ['breach sales/failed/kafka/t-0-1']);
    const later = run(of, 2, 'success', { pipelineRunId: 'sales/kafka/t-0-2' });
    assert.deepEqual(problems(of, [failed, later], '03T00:20'), []);
  });
});
