import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { dataIntervalAt, iso, tickAfter, tickBefore, type SchedulePlan } from '../../../workflows/plan/timetable/schedule.ts';

const daily: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' };

describe('data intervals', () => {
  for (const [name, schedule, instant, expected] of [
    ['a tick works on what has just become complete', daily, '2024-01-02T00:00:00Z', ['2024-01-01T00:00:00Z', '2024-01-02T00:00:00Z']],
    ['a manual run works on the last complete interval', daily, '2024-01-02T15:04:05Z', ['2024-01-01T00:00:00Z', '2024-01-02T00:00:00Z']],
    [
      'every 15 minutes',
      { kind: 'every', everyMs: 900_000, timezone: 'UTC' },
      '2024-01-01T10:07:00Z',
      ['2024-01-01T09:45:00Z', '2024-01-01T10:00:00Z'],
    ],
    [
      'a day in Berlin is 23 hours long in spring',
      { ...daily, timezone: 'Europe/Berlin' },
      '2024-03-31T22:00:00Z',
      ['2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z'],
    ],
    ['and 25 in autumn', { ...daily, timezone: 'Europe/Berlin' }, '2024-10-27T23:00:00Z', ['2024-10-26T22:00:00Z', '2024-10-27T23:00:00Z']],
    ['without a schedule there is no interval', null, '2024-01-01T10:07:00Z', ['2024-01-01T10:07:00Z', '2024-01-01T10:07:00Z']],
  ] as [string, SchedulePlan | null, string, [string, string]][]) {
    it(name, () => {
      const { start, end } = dataIntervalAt(schedule, Date.parse(instant));
      assert.deepEqual([start, end], expected);
    });
  }

  it('start_date and end_date are about where intervals begin, as in Airflow', () => {
    const bounded: SchedulePlan = { ...daily, startAt: '2024-02-01T00:00:00Z', endAt: '2024-02-02T00:00:00Z' };
    assert.equal(iso(tickAfter(bounded, Date.parse('2024-01-01T00:00:00Z')) ?? 0), '2024-02-02T00:00:00Z');
    assert.equal(iso(tickAfter(bounded, Date.parse('2024-02-02T00:00:00Z')) ?? 0), '2024-02-03T00:00:00Z');
    assert.equal(tickAfter(bounded, Date.parse('2024-02-03T00:00:00Z')), undefined);
    assert.equal(iso(tickBefore(bounded, Date.parse('2024-03-01T00:00:00Z')) ?? 0), '2024-02-03T00:00:00Z');
    assert.equal(tickBefore(bounded, Date.parse('2024-02-02T00:00:00Z')), undefined);
  });

  it('a start_date between ticks waits for the first whole interval', () => {
    const bounded: SchedulePlan = { ...daily, startAt: '2024-02-01T09:00:00Z' };
    assert.equal(iso(tickAfter(bounded, Date.parse('2024-01-01T00:00:00Z')) ?? 0), '2024-02-03T00:00:00Z');
  });
});
