import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  betterState,
  chooseIntervals,
  type IntervalRun,
  type IntervalState,
  stateOfInterval,
} from '../../../workflows/plan/timetable/interval-coverage.ts';
import {
  catchupIntervals,
  type CatchupPlan,
  intervalsBackwards,
  intervalsBetween,
  intervalsCompletedSince,
} from '../../../workflows/plan/timetable/intervals.ts';
import type { SchedulePlan } from '../../../workflows/plan/timetable/schedule.ts';

const daily: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' };
const at = (text: string): number => Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`);
const days = (intervals: readonly { readonly start: string }[]): string => intervals.map(({ start }) => start.slice(8, 10)).join(' ');

describe('intervals of a range', () => {
  for (const [name, schedule, from, to, now, expected] of [
    ['begin in it, both ends included', daily, '2024-01-03', '2024-01-05', '2024-02-01', '03 04 05'],
    ['are complete', daily, '2024-01-03', '2024-01-31', '2024-01-06T12:00', '03 04 05'],
    ['are complete at their end', daily, '2024-01-03', '2024-01-31', '2024-01-06', '03 04 05'],
    ['are whole', daily, '2024-01-03T01:00', '2024-01-05T23:00', '2024-02-01', '04 05'],
    ['keep to start_date', { ...daily, startAt: '2024-01-04T00:00:00Z' }, '2024-01-01', '2024-01-06', '2024-02-01', '04 05 06'],
    ['keep to end_date', { ...daily, endAt: '2024-01-04T00:00:00Z' }, '2024-01-01', '2024-01-06', '2024-02-01', '01 02 03 04'],
    [
      'leave out days without runs',
      { ...daily, calendar: { businessDays: true } },
      '2024-01-04',
      '2024-01-09',
      '2024-02-01',
      '04 05 08 09',
    ],
    ['may be none', daily, '2024-01-03T01:00', '2024-01-03T02:00', '2024-02-01', ''],
    ['may be none yet', daily, '2024-01-03', '2024-01-05', '2024-01-03', ''],
  ] as [string, SchedulePlan, string, string, string, string][]) {
    it(name, () => {
      const range = { from: at(from), to: at(to), now: at(now), limit: 100 };
      assert.equal(days(intervalsBetween(schedule, range)), expected);
      assert.deepEqual(intervalsBackwards(schedule, range).reverse(), intervalsBetween(schedule, range));
    });
  }

  it('no more than the limit: the oldest, or the newest', () => {
    const range = { from: at('2024-01-01'), to: at('2024-01-31'), now: at('2024-03-01'), limit: 2 };
    assert.equal(days(intervalsBetween(daily, range)), '01 02');
    assert.equal(days(intervalsBackwards(daily, range)), '31 30');
  });

  it('completed since', () => {
    assert.equal(days(intervalsCompletedSince(daily, at('2024-01-02'), at('2024-01-04'))), '02 03');
    const monthly: SchedulePlan = { ...daily, cron: '0 0 1 * *' };
    assert.deepEqual(intervalsCompletedSince(monthly, at('2024-01-31T23:59'), at('2024-02-01')), [
      { start: '2024-01-01T00:00:00Z', end: '2024-02-01T00:00:00Z' },
    ]);
  });
});

describe('what a backfill runs', () => {
  const interval = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };
  for (const [state, none, failed, all] of [
    [undefined, true, true, true],
    ['success', false, false, true],
    ['failed', false, true, true],
    ['canceled', false, true, true],
    ['terminated', false, true, true],
    ['running', false, false, false],
    ['queued', false, false, false],
  ] as const) {
    it(`an interval ${state === undefined ? 'without a run' : `whose run is ${state}`}`, () => {
      const states: IntervalRun[] = state === undefined ? [] : [{ interval, state, pipelineRunId: 'd/manual/1' }];
      const runs = (['none', 'failed', 'all'] as const).map((reprocess) => chooseIntervals([interval], states, reprocess)[0]?.runs);
      assert.deepEqual(runs, [none, failed, all]);
      for (const { why } of chooseIntervals([interval], states, 'none')) assert.notEqual(why, '');
    });
  }

  it('an interval whose runs Temporal may have removed: only when all are asked for', () => {
    const choices = (['none', 'failed', 'all'] as const).map(
      (reprocess) => chooseIntervals([interval], [], reprocess, '2024-01-03T00:00:00Z')[0],
    );
    assert.deepEqual(
      choices.map((choice) => choice?.runs),
      [false, false, true],
    );
    assert.match(choices[0]?.why ?? '', /^expired: .*--reprocess all runs it$/);
    assert.equal(chooseIntervals([interval], [], 'none', '2024-01-02T00:00:00Z')[0]?.runs, true);
    const success: IntervalRun = { interval, state: 'success', pipelineRunId: 'd/x' };
    assert.equal(chooseIntervals([interval], [success], 'none', '2024-01-03T00:00:00Z')[0]?.why, 'success');
  });

  for (const [title, hours, state, expected] of [
    [
      'a run covers an interval only if it covers all of it',
      ['00-06'],
      undefined,
      /^never ran as a whole: .*T06:00:00Z – .*T00:00:00Z is missing/,
    ],
    ['runs that have succeeded cover it together', ['12-24', '00-06', '06-13'], 'success', /^success$/],
    ['parts between others are named', ['06-12', '18-24'], undefined, /T00:00:00Z – .*T06:00:00Z, .*T12:00:00Z – .*T18:00:00Z is missing/],
    ['a longer run covers it', ['00-48'], 'success', /^success$/],
    ['a run beside it says nothing', ['24-48'], undefined, /^never ran$/],
  ] as const) {
    it(title, () => {
      const day = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };
      const instant = (hour: string): string => new Date(Date.parse(day.start) + Number(hour) * 3_600_000).toISOString();
      const runs = hours.map((range): IntervalRun => {
        const [from = '', to = ''] = range.split('-');
        return { interval: { start: instant(from), end: instant(to) }, state: 'success', pipelineRunId: `d/${range}` };
      });
      assert.equal(stateOfInterval(day, runs)?.state, state);
      assert.match(chooseIntervals([day], runs, 'none')[0]?.why ?? '', expected);
    });
  }

  it('a success stays one, even if others failed', () => {
    const state = (text: string): IntervalState => ({ state: text, pipelineRunId: text });
    assert.equal(betterState(state('success'), state('failed')).state, 'success');
    assert.equal(betterState(state('failed'), state('success')).state, 'success');
    assert.equal(betterState(state('failed'), state('running')).state, 'running');
    assert.equal(betterState(undefined, state('failed')).state, 'failed');
  });
});

describe('catchup', () => {
  const since: SchedulePlan = { ...daily, startAt: '2024-01-01T00:00:00Z' };
  for (const [name, schedule, catchup, expected] of [
    ['all since start_date', since, { mode: 'all' }, '01 02 03 04 05 06 07 08 09'],
    ['the latest', since, { mode: 'latest' }, '09'],
    ['in a window', since, { mode: 'all', windowMs: 3 * 86_400_000 }, '08 09'],
    ['at most', since, { mode: 'all', maxRuns: 4 }, '06 07 08 09'],
    ['not without a start_date', daily, { mode: 'all' }, ''],
    ['not without a schedule', null, { mode: 'all' }, ''],
    ['not before start_date', { ...since, startAt: '2024-02-01T00:00:00Z' }, { mode: 'all' }, ''],
  ] as [string, SchedulePlan | null, CatchupPlan, string][]) {
    it(name, () => assert.equal(days(catchupIntervals(schedule, catchup, at('2024-01-10T12:00'))), expected));
  }
});
