import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { MonitorFacts } from '../../monitors/facts.ts';
import { pageOf } from '../../monitors/page.ts';
import { findProblems } from '../../monitors/problems.ts';
import type { WatchedPipeline } from '../../monitors/watched.ts';
import { USUAL_PATIENCE } from '../../workflows/plan/incident.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { SlaPlan } from '../../workflows/plan/sla.ts';
import { planOf, task } from '../support/plans.ts';

/** Monitors know no more of a run than what is given. */
const FACTS: Pick<MonitorFacts, 'runDetails' | 'urlOf' | 'nextTick'> = {
  runDetails: () => Promise.resolve({ rows: {} }),
  urlOf: () => undefined,
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
    begun: true,
  };
  const pipeline: WatchedPipeline = {
    plan,
    createdAt: queuedAt,
    paused: false,
    runs: [{ ...run, plan, ...(interval && { interval }) }],
  };
  const problems = findProblems(pipeline, Date.parse(now), USUAL_PATIENCE);
  assert.equal(problems.length, 1);
  return pageOf(problems[0] as (typeof problems)[number], pipeline, FACTS as MonitorFacts, Date.parse(now));
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

  it('says which days count', async () => {
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

describe('a page about a failure', () => {
  const failed = async (error: string, more: Partial<WatchedPipeline> = {}) => {
    const plan = planOf('sales', [task('load', 'ok')], { critical: true, hash: 'b'.repeat(64) });
    const at = Date.parse('2024-01-02T03:04:05.678Z');
    const run = {
      pipelineRunId: 'sales/x',
      temporalRunId: 'x',
      cause: 'manual',
      state: 'failed',
      queuedAt: at - 60_000,
      startedAt: at,
      begun: true,
    };
    const pipeline: WatchedPipeline = {
      plan,
      createdAt: at,
      paused: false,
      ...more,
      runs: [{ ...run, endedAt: at, plan }, ...(more.runs ?? [])],
    };
    const [problem] = findProblems(pipeline, at + 1_000, USUAL_PATIENCE);
    assert.ok(problem);
    const facts: typeof FACTS = { ...FACTS, runDetails: () => Promise.resolve({ rows: {}, failed: { task: 'load', attempt: 2, error } }) };
    return pageOf(problem, pipeline, facts as MonitorFacts, at + 1_000);
  };

  it('says what is wrong in 80 characters, then which pipeline; times have no milliseconds', async () => {
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

  it('names the last success before, and what has changed since; never the run that is the problem', async () => {
    const at = Date.parse('2024-01-01T03:00:00Z');
    const plan = planOf('sales', [task('load', 'other')], { critical: true, hash: 'a'.repeat(64) });
    const good = {
      pipelineRunId: 'sales/w',
      temporalRunId: 'w',
      cause: 'manual',
      state: 'success',
      queuedAt: at,
      begun: true,
      endedAt: at,
      plan,
    };
    const { details } = await failed('x', { runs: [good] });
    assert.equal(details.last_success, '2024-01-01T03:00:00Z');
    assert.match(String(details.changed_since), /^its file was edited: plan aaaaaaaaaaaa → bbbbbbbbbbbb; tasks that differ: load$/);
    const alone = await failed('x', { lastSuccess: Date.parse('2024-01-02T03:04:05.678Z') });
    assert.equal(alone.details.last_success, undefined);
  });
});
