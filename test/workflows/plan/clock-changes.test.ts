import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { dataIntervalAt, iso, type SchedulePlan, tickAfter, tickBefore } from '../../../workflows/plan/timetable/schedule.ts';
import { wallTime } from '../../../workflows/plan/timetable/time-zone.ts';
import { CLOCK_CHANGE_CASES } from '../../support/clock-change-cases.ts';

const DAY = 86_400_000;

function ticksBetween(schedule: SchedulePlan, from: number, to: number): number[] {
  const ticks: number[] = [];
  for (let tick = tickAfter(schedule, from - 1); tick !== undefined && tick < to; tick = tickAfter(schedule, tick)) ticks.push(tick);
  return ticks;
}

describe('where clocks are changed', () => {
  for (const { name, schedule, day, count } of CLOCK_CHANGE_CASES) {
    it(name, () => {
      const ticks = ticksBetween(schedule, Date.parse(day) - DAY, Date.parse(day) + 2 * DAY);
      const shown = ticks.filter((tick) => new Date(wallTime(tick, schedule.timezone)).toISOString().startsWith(day));
      assert.equal(shown.length, count, shown.map((tick) => iso(tick)).join(', '));
    });
  }

  for (const { schedule, day } of CLOCK_CHANGE_CASES) {
    it(`no holes, and the same ticks on the way back: ${schedule.cron} ${schedule.timezone} ${JSON.stringify(schedule.dst ?? {})} ${day}`, () => {
      const [from, to] = [Date.parse(day) - 3 * DAY, Date.parse(day) + 4 * DAY];
      const ticks = ticksBetween(schedule, from, to);
      const backwards: number[] = [];
      for (let tick = tickBefore(schedule, to); tick !== undefined && tick >= from; tick = tickBefore(schedule, tick)) backwards.push(tick);
      assert.deepEqual(backwards.reverse(), ticks);
      const intervals = ticks.slice(1).map((tick) => dataIntervalAt(schedule, tick));
      assert.deepEqual(
        intervals,
        ticks.slice(1).map((tick, index) => ({ start: iso(ticks[index] ?? 0), end: iso(tick) })),
      );
    });
  }

  it('a time that comes twice, taken once, is its first', () => {
    const schedule: SchedulePlan = { kind: 'cron', cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    assert.deepEqual(ticksBetween(schedule, Date.parse('2025-10-26'), Date.parse('2025-10-27')).map(iso), ['2025-10-26T00:30:00Z']);
  });

  it('a time that is left out is as much later as clocks are put forward', () => {
    const berlin: SchedulePlan = { kind: 'cron', cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    assert.deepEqual(ticksBetween(berlin, Date.parse('2025-03-30'), Date.parse('2025-03-31')).map(iso), ['2025-03-30T01:30:00Z']);
    const lordHowe: SchedulePlan = { kind: 'cron', cron: '15 2 * * *', timezone: 'Australia/Lord_Howe' };
    // 02:45 as clocks show it.
    assert.deepEqual(ticksBetween(lordHowe, Date.parse('2025-10-04T12:00Z'), Date.parse('2025-10-05T12:00Z')).map(iso), [
      '2025-10-04T15:45:00Z',
    ]);
  });
});

describe('days without runs', () => {
  it('business days: the interval of a Monday begins on Friday', () => {
    const schedule: SchedulePlan = { kind: 'cron', cron: '0 6 * * *', timezone: 'UTC', calendar: { businessDays: true } };
    assert.deepEqual(ticksBetween(schedule, Date.parse('2024-01-05'), Date.parse('2024-01-10')).map(iso), [
      '2024-01-05T06:00:00Z',
      '2024-01-08T06:00:00Z',
      '2024-01-09T06:00:00Z',
    ]);
    assert.deepEqual(dataIntervalAt(schedule, Date.parse('2024-01-08T06:00:00Z')), {
      start: '2024-01-05T06:00:00Z',
      end: '2024-01-08T06:00:00Z',
    });
  });

  it('days are those of the time zone, for every kind of schedule', () => {
    const calendar = { exclude: ['2024-12-25'] };
    const zone = 'Pacific/Auckland';
    const daily: SchedulePlan = { kind: 'cron', cron: '0 1 * * *', timezone: zone, calendar };
    assert.deepEqual(ticksBetween(daily, Date.parse('2024-12-23'), Date.parse('2024-12-26')).map(iso), [
      '2024-12-23T12:00:00Z',
      '2024-12-25T12:00:00Z',
    ]);
    const hours: SchedulePlan = { kind: 'every', everyMs: 6 * 3_600_000, timezone: zone, calendar };
    assert.deepEqual(ticksBetween(hours, Date.parse('2024-12-24T06:00Z'), Date.parse('2024-12-25T13:00Z')).map(iso), [
      '2024-12-24T06:00:00Z',
      '2024-12-25T12:00:00Z',
    ]);
  });

  it('29 February and the ends of years', () => {
    const daily: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' };
    assert.equal(ticksBetween(daily, Date.parse('2024-01-01'), Date.parse('2025-01-01')).length, 366);
    assert.equal(ticksBetween(daily, Date.parse('2025-01-01'), Date.parse('2026-01-01')).length, 365);
    const leap: SchedulePlan = { kind: 'cron', cron: '0 0 29 2 *', timezone: 'UTC' };
    assert.deepEqual(ticksBetween(leap, Date.parse('2023-01-01'), Date.parse('2033-01-01')).map(iso), [
      '2024-02-29T00:00:00Z',
      '2028-02-29T00:00:00Z',
      '2032-02-29T00:00:00Z',
    ]);
    assert.deepEqual(dataIntervalAt({ ...daily, cron: '0 0 1 1 *' }, Date.parse('2025-01-01')), {
      start: '2024-01-01T00:00:00Z',
      end: '2025-01-01T00:00:00Z',
    });
  });
});
