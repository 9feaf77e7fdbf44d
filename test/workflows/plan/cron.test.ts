import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CronError, nextTick, parseCron, previousTick } from '../../../workflows/plan/timetable/cron.ts';
import { iso } from '../../../workflows/plan/timetable/schedule.ts';

describe('cron', () => {
  /** expression, zone, after, the next ticks */
  const NEXT: [string, string, string, string[]][] = [
    ['0 0 * * *', 'UTC', '2024-01-01T00:00:00Z', ['2024-01-02T00:00:00Z', '2024-01-03T00:00:00Z']],
    ['*/15 9-10 * * 1-5', 'UTC', '2024-01-05T10:45:00Z', ['2024-01-08T09:00:00Z', '2024-01-08T09:15:00Z']],
    ['0 6 29 2 *', 'UTC', '2024-03-01T00:00:00Z', ['2028-02-29T06:00:00Z']],
    ['0 6 29 2 *', 'UTC', '2097-01-01T00:00:00Z', ['2104-02-29T06:00:00Z']],
    [
      '0 0 13 * fri',
      'UTC',
      '2024-09-10T00:00:00Z',
      ['2024-09-13T00:00:00Z', '2024-09-20T00:00:00Z', '2024-09-27T00:00:00Z', '2024-10-04T00:00:00Z'],
    ],
    ['0 0 * * 7', 'UTC', '2024-01-01T00:00:00Z', ['2024-01-07T00:00:00Z']],
    ['0 6 * * *', 'Europe/Berlin', '2024-01-01T00:00:00Z', ['2024-01-01T05:00:00Z']],
    ['0 6 * * *', 'Europe/Berlin', '2024-07-01T00:00:00Z', ['2024-07-01T04:00:00Z']],
    // Spring: 02:30 is left out on that day, and is 03:30.
    ['30 2 * * *', 'Europe/Berlin', '2024-03-30T12:00:00Z', ['2024-03-31T01:30:00Z', '2024-04-01T00:30:00Z']],
    // Autumn: 02:30 comes twice; the first one counts.
    ['30 2 * * *', 'Europe/Berlin', '2024-10-26T12:00:00Z', ['2024-10-27T00:30:00Z', '2024-10-28T01:30:00Z']],
    ['59 23 31 12 *', 'Pacific/Auckland', '2024-06-01T00:00:00Z', ['2024-12-31T10:59:00Z']],
  ];
  for (const [expression, zone, after, expected] of NEXT) {
    it(`${expression} ${zone} after ${after}`, () => {
      const cron = parseCron(expression);
      const ticks: string[] = [];
      let from = Date.parse(after);
      while (ticks.length < expected.length) {
        const tick = nextTick(cron, zone, from);
        assert.ok(tick !== undefined);
        ticks.push(iso(tick));
        from = tick;
      }
      assert.deepEqual(ticks, expected);
      // The way back meets the same ticks.
      const last = ticks.at(-1) ?? '';
      if (ticks.length > 1) assert.equal(iso(previousTick(cron, zone, Date.parse(last)) ?? 0), ticks.at(-2));
    });
  }

  it('knows that there is no 31 February', () => {
    assert.equal(nextTick(parseCron('0 0 31 2 *'), 'UTC', 0), undefined);
  });

  for (const [expression, message] of [
    ['0 0 * *', /has 4 fields/],
    ['0 0 0 * * *', /has 6 fields/],
    ['60 * * * *', /minute field '60' has 60, which is out of range/],
    ['* * * * 1#6', /day of week field '1#6'/],
    ['* * LW * *', /day of month field 'LW'/],
    ['*/0 * * * *', /step of 0/],
    ['a * * * *', /not a number/],
    ['*-5 * * * *', /not understood/],
  ] as const) {
    it(`refuses ${expression}`, () =>
      assert.throws(
        () => parseCron(expression),
        (error) => error instanceof CronError && message.test(error.message),
      ));
  }
});
