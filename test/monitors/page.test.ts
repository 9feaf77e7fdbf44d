import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { LastSuccess, MonitorFacts, RunDetails } from '../../monitors/facts.ts';
import { pageOf } from '../../monitors/page.ts';
import { findProblems } from '../../monitors/problems.ts';
import type { WatchedPipeline } from '../../monitors/watched.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { mismatchText, readMismatch, reportText } from '../../workflows/plan/datasets/mismatch.ts';
import type { Plan, TaskPlan } from '../../workflows/plan/plan.ts';
import type { SlaPlan } from '../../workflows/plan/incidents/sla.ts';
import { planOf, task } from '../support/plans.ts';

/** Monitors know no more of a run than what is given. */
const FACTS: Pick<MonitorFacts, 'runDetails' | 'lastSuccess' | 'urlOf' | 'urlOfRuns' | 'nextTick'> = {
  runDetails: () => Promise.resolve({ rows: {} }),
  lastSuccess: () => Promise.resolve(undefined),
  urlOf: () => undefined,
  urlOfRuns: (dagId) => `http://ui/runs?of=${dagId}`,
  nextTick: () => undefined,
};

/** The page about the only problem of a run of `plan` that has been running since `startedAt`. */
async function pageAt(now: string, plan: Plan, startedAt: string, interval?: { start: string; end: string }) {
  const queuedAt = Date.parse(startedAt);
  const run = {
    pipelineRunId: 'sales/x',
    temporalRunId: 'x',
    cause: 'manual',
    state: 'running',
    queuedAt,
    startedAt: queuedAt,
    hasStarted: true,
  };
  const pipeline: WatchedPipeline = {
    plan,
    createdAt: queuedAt,
    paused: false,
    runs: [{ ...run, plan, ...(interval && { interval }) }],
  };
  const problems = findProblems(pipeline, Date.parse(now), DEFAULT_MONITOR_SETTINGS);
  assert.equal(problems.length, 1);
  return pageOf(problems[0] as (typeof problems)[number], FACTS as MonitorFacts, Date.parse(now));
}

const planWith = (sla: Pick<SlaPlan, 'promise' | 'calendar' | 'warnAt'>, more: Partial<Plan> = {}): Plan =>
  planOf('sales', [task('a', 'ok')], { slas: [{ name: 'in_time', suppressWhen: [], ...sla }], ...more });
const BERLIN = { kind: 'cron', cron: '0 0 * * *', timezone: 'Europe/Berlin' } as const;

describe('a page about a deadline', () => {
  it("says it in the pipeline's time zone, on the day when clocks are put forward too", async () => {
    const plan = planWith({ promise: { kind: 'by', time: '06:00' } }, { schedule: BERLIN });
    const interval = { start: '2024-03-29T23:00:00Z', end: '2024-03-30T23:00:00Z' };
    const { summary, details } = await pageAt('2024-03-31T04:00:30Z', plan, '2024-03-30T23:00:01Z', interval);
    assert.equal(
      summary,
      'Late: it should have ended by 2024-03-31 06:00 Europe/Berlin | sales, data of 2024-03-29T23:00:00Z, since 2024-03-31T04:00:00Z',
    );
    assert.equal(details.deadline, '2024-03-31 06:00 Europe/Berlin');
  });

  it('of a run about no interval says no data, and no milliseconds where it has some', async () => {
    const plan = planWith({ promise: { kind: 'within', ms: 1_000, reference: 'started_at' } });
    const [start, end] = ['2024-01-02T00:00:00.450Z', '2024-01-02T00:00:01.450Z'];
    const moment = await pageAt('2024-01-02T01:30:00Z', plan, start, { start, end: start });
    assert.match(moment.summary, / \| sales, since 2024-01-02T00:00:01Z$/);
    const short = await pageAt('2024-01-02T01:30:00Z', plan, start, { start, end });
    assert.match(short.summary, / \| sales, data of 2024-01-02, since /);
    for (const { summary, details } of [moment, short]) assert.doesNotMatch(JSON.stringify([summary, details]), /\.450Z/);
  });

  it('links to the runs of the pipeline where there is no run', async () => {
    const plan = planWith({ promise: { kind: 'by', time: '06:00' } }, { schedule: BERLIN });
    const at = Date.parse('2024-03-31T04:00:30Z');
    const pipeline: WatchedPipeline = { plan, createdAt: at - 86_400_000, paused: false, runs: [] };
    const [missing] = findProblems(pipeline, at, DEFAULT_MONITOR_SETTINGS);
    assert.equal(missing?.kind, 'missing');
    const { links } = await pageOf(missing, FACTS as MonitorFacts, at);
    assert.deepEqual(links, [{ href: 'http://ui/runs?of=sales', text: 'Runs of sales in the Temporal UI' }]);
  });

  it('shows which days count', async () => {
    const plan = planWith(
      { promise: { kind: 'within', ms: 48 * 3_600_000, reference: 'started_at' }, calendar: { businessDays: true } },
      { timezone: 'America/New_York' },
    );
    const { summary } = await pageAt('2024-03-12T14:00:00Z', plan, '2024-03-08T15:00:00Z');
    assert.match(
      summary,
      /^Late: it should have ended 2d of business days after its start, by 2024-03-12 10:00 America\/New_York \| sales, /,
    );
  });

  it('says in a warning until when there is time', async () => {
    const plan = planWith({ promise: { kind: 'within', ms: 7_200_000, reference: 'started_at' }, warnAt: { part: 0.5 } });
    const { summary, severity } = await pageAt('2024-01-02T01:30:00Z', plan, '2024-01-02T00:00:00Z');
    assert.equal(severity, 'warning');
    assert.match(summary, /^May be late: it should have ended 2h after its start, by 2024-01-02 02:00 UTC \| sales, /);
  });
});

const PARAMS = {
  region: { schema: { type: 'string', enum: ['eu', 'us'] }, default: 'eu' },
  mode: { schema: { type: 'string', enum: ['warn', 'repair'] }, default: 'warn' },
};

describe('a page about a failure', () => {
  const failed = async (error: string, details: Partial<RunDetails> = {}, good?: LastSuccess, load: Partial<TaskPlan> = {}) => {
    const plan = planOf('sales', [task('load', 'ok', [], load)], { critical: true, hash: 'b'.repeat(64), params: PARAMS });
    const at = Date.parse('2024-01-02T03:04:05.678Z');
    const run = {
      pipelineRunId: 'sales/x',
      temporalRunId: 'x',
      cause: 'manual',
      state: 'failed',
      queuedAt: at - 60_000,
      startedAt: at,
      hasStarted: true,
    };
    const pipeline: WatchedPipeline = {
      plan,
      createdAt: at,
      paused: false,
      runs: [{ ...run, endedAt: at, plan }],
    };
    const [problem] = findProblems(pipeline, at + 1_000, DEFAULT_MONITOR_SETTINGS);
    assert.ok(problem);
    const facts: typeof FACTS = {
      ...FACTS,
      runDetails: () => Promise.resolve({ rows: {}, failed: { task: 'load', attempt: 2, error }, ...details }),
      lastSuccess: (_, except) => Promise.resolve(except?.temporalRunId === 'x' ? good : undefined),
    };
    return pageOf(problem, facts as MonitorFacts, at + 1_000);
  };

  it('shows what is wrong in 80 characters, then which pipeline; times have no milliseconds', async () => {
    const { summary, since, details } = await failed(`12 of 4,000 rows differ: ${'x'.repeat(500)}`);
    assert.match(summary, /^Task load failed: 12 of 4,000 rows differ: x+… \| sales, since 2024-01-02T03:04:05Z$/);
    assert.equal(summary.indexOf(' | '), 80);
    assert.equal(since, '2024-01-02T03:04:05Z');
    assert.match(String(details.error), /^12 of 4,000 rows differ/);
  });

  it('keeps the cause, which comes first, and the last lines of a long log', async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}`);
    const { details } = await failed(`Job 'spark' failed: KeyError: 'price'\n${lines.join('\n')}`);
    assert.match(String(details.error), /^Job 'spark' failed: KeyError: 'price'\n…\n[^]*line 999$/);
  });

  it('names the last success before, and what has changed since: the file, and parameters by their names', async () => {
    const plan = planOf('sales', [task('load', 'other')], { critical: true, hash: 'a'.repeat(64), params: PARAMS });
    const good: LastSuccess = {
      endedAt: Date.parse('2024-01-01T03:00:00.123Z'),
      isPartial: false,
      plan,
      params: { region: 'eu', mode: 'warn' },
    };
    const params = { region: 'secret place', mode: 'warn' };
    const { details } = await failed('x', { params }, good);
    assert.equal(details.last_success, '2024-01-01T03:00:00Z');
    assert.equal(
      details.changed_since,
      'the file was edited: plan aaaaaaaaaaaa → bbbbbbbbbbbb; changed tasks: load; changed parameters: region',
    );
    assert.doesNotMatch(JSON.stringify(details), /secret place/);
    const same = { ...good, isPartial: true, plan: { ...plan, hash: 'b'.repeat(64) } };
    const unchanged = await failed('x', { params: good.params }, same);
    assert.deepEqual(
      [unchanged.details.last_success, unchanged.details.changed_since],
      ['2024-01-01T03:00:00Z, without some items', undefined],
    );
    assert.equal((await failed('x')).details.last_success, undefined);
  });

  it('names the items that failed, in its summary and in its details', async () => {
    const failedItems = Array.from({ length: 12 }, (_, index) => `load[${index}]: no disk`);
    const { summary, details } = await failed('2 of 14 items', { failedItems });
    assert.match(summary, / \| sales, 12 items failed, since 2024-01-02T03:04:05Z$/);
    assert.deepEqual(details.failed_items, [...failedItems.slice(0, 10), '… and 2 more']);
    const one = await failed('x', { failedItems: ['load[3]: no disk'] });
    assert.match(one.summary, / \| sales, 1 item failed, since /);
  });

  describe('of a comparison', () => {
    const text = `${mismatchText({ differing: 12, compared: 4_000, what: 'rows', between: 'sales (shop) and fact_sales (warehouse)', percent: '0.3', tolerance: '0.1%' })} 4 changed. ${reportText('s3://reports/x.csv')}`;
    const compares = (params: JsonObject) => {
      const mismatches = [{ task: 'load', text, ...readMismatch(text)! }];
      return failed(text, { mismatches }, undefined, {
        type: 'reconcile',
        params: { target: { table: 'fact_sales' }, report_to: 's3://reports', ...params },
      });
    };

    it('begins with how much differs, and has the report and the command that repairs it', async () => {
      const { summary, details } = await compares({ on_mismatch: '{{ params.mode }}' });
      assert.match(summary, /^12 of 4,000 rows differ: 0\.3 %, tolerated 0\.1% \(load\) \| sales, since /);
      assert.deepEqual(
        [details.report, details.error, details.difference, details.to_repair_it],
        ['s3://reports/x.csv', text, undefined, 'sluice rerun sales/x --from load --param mode=repair'],
      );
    });

    for (const [what, params, words] of [
      [
        'without a parameter: what to change before',
        { on_mismatch: 'fail' },
        /^give load `on_mismatch: repair` in the file of sales, then sluice rerun sales\/x --from load --definition latest$/,
      ],
      ['with a parameter that does not allow it', { on_mismatch: '{{ params.region }}' }, /^give load `on_mismatch: repair` in the file/],
      [
        'without a report',
        { on_mismatch: '{{ params.mode }}', report_to: undefined },
        /^give load `on_mismatch: repair` and `report_to` in the file/,
      ],
      ['of groups, which nothing repairs', { compare: 'aggregate' }, undefined],
      ['of a data set, which never changes', { target: { dataset: 's3://a/b' } }, undefined],
    ] as const) {
      it(what, async () => {
        const { details } = await compares(params);
        if (words === undefined) assert.equal(details.to_repair_it, undefined);
        else assert.match(String(details.to_repair_it), words);
      });
    }
  });
});
