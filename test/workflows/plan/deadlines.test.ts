import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { deadlineOf, runDeadline } from '../../../workflows/plan/timetable/deadlines.ts';
import type { Times } from '../../../workflows/plan/incidents/sla-references.ts';
import type { CalendarPlan } from '../../../workflows/plan/timetable/calendar.ts';
import type { SlaPlan, SlaCondition, WarnAt } from '../../../workflows/plan/incidents/sla.ts';
import { planOf } from '../../support/plans.ts';

const HOUR = 3_600_000;
const at = (time: string): number => Date.parse(time);
const TIMES: Times = {
  interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
  queuedAt: at('2024-01-02T00:01:00Z'),
  startedAt: at('2024-01-02T00:05:00Z'),
  previousSuccess: at('2024-01-01T03:00:00Z'),
};

function sla(promise: SlaCondition, warnAt?: WarnAt): SlaPlan {
  return { name: 'p', promise, suppressWhen: [], ...(warnAt && { warnAt }) };
}

function deadline(promise: SlaCondition, timezone = 'UTC', times = TIMES): string | undefined {
  const found = deadlineOf(sla(promise), timezone, times);
  return found && new Date(found.at).toISOString().slice(0, 16);
}

describe('deadlines', () => {
  const references = [
    ['logical_date', '2024-01-01T02:00'],
    ['data_interval_end', '2024-01-02T02:00'],
    ['queued_at', '2024-01-02T02:01'],
    ['started_at', '2024-01-02T02:05'],
    ['previous_success', '2024-01-01T05:00'],
  ] as const;
  for (const [reference, expected] of references) {
    it(`count from ${reference}`, () => {
      assert.equal(deadline({ kind: 'within', ms: 2 * HOUR, reference }), expected);
      assert.equal(deadline({ kind: 'within', ms: 2 * HOUR, reference }, 'UTC', {}), undefined);
    });
  }

  const clocks = [
    // zone, interval end, time of day, deadline
    ['UTC', '2024-01-02T00:00:00Z', '06:00', '2024-01-02T06:00'],
    ['UTC', '2024-01-02T06:00:00Z', '06:00', '2024-01-02T06:00'],
    ['UTC', '2024-01-02T06:00:01Z', '06:00', '2024-01-03T06:00'],
    ['Europe/Berlin', '2024-01-02T23:00:00Z', '06:00', '2024-01-03T05:00'],
    ['Europe/Berlin', '2024-07-01T22:00:00Z', '06:00', '2024-07-02T04:00'],
    // Clocks are put forward at 02:00 on 31 March 2024: there is no 02:30.
    ['Europe/Berlin', '2024-03-30T23:00:00Z', '06:00', '2024-03-31T04:00'],
    ['Europe/Berlin', '2024-03-30T23:00:00Z', '02:30', '2024-03-31T01:30'],
    // They are put back at 03:00 on 27 October 2024: 02:30 comes twice, the first counts.
    ['Europe/Berlin', '2024-10-26T22:00:00Z', '02:30', '2024-10-27T00:30'],
    ['America/New_York', '2024-03-10T05:00:00Z', '06:00', '2024-03-10T10:00'],
    ['America/New_York', '2024-11-03T04:00:00Z', '06:00', '2024-11-03T11:00'],
    ['Asia/Kolkata', '2024-01-01T18:30:00Z', '00:00', '2024-01-01T18:30'],
  ] as const;
  for (const [zone, end, time, expected] of clocks) {
    it(`by ${time} in ${zone} after ${end}`, () => {
      assert.equal(deadline({ kind: 'by', time }, zone, { interval: { start: '2020-01-01T00:00:00Z', end } }), expected);
    });
  }

  it('warn after a part of the time, or after so long, and never after the deadline', () => {
    const promise = { kind: 'within', ms: 2 * HOUR, reference: 'data_interval_end' } as const;
    const warnedAt = (warnAt: WarnAt): string =>
      new Date(deadlineOf(sla(promise, warnAt), 'UTC', TIMES)?.warnAt ?? NaN).toISOString().slice(0, 16);
    assert.equal(warnedAt({ part: 0.8 }), '2024-01-02T01:36');
    assert.equal(warnedAt({ afterMs: HOUR }), '2024-01-02T01:00');
    assert.equal(warnedAt({ afterMs: 9 * HOUR }), '2024-01-02T02:00');
  });

  const BUSINESS: CalendarPlan = { businessDays: true };
  const HOLIDAYS: CalendarPlan = { businessDays: true, exclude: ['2024-12-25', '2024-12-26', '2025-01-01'] };
  /** Every day but one that is far away: what is left are the changes of clocks. */
  const ALL: CalendarPlan = { exclude: ['2000-01-01'] };
  const [H, D] = [HOUR, 24 * HOUR];
  const counted: readonly (readonly [CalendarPlan, zone: string, from: string, promise: number | string, deadline: string])[] = [
    // 5 January 2024 is a Friday.
    [BUSINESS, 'UTC', '2024-01-04T10:00:00Z', 2 * H, '2024-01-04T12:00'],
    [BUSINESS, 'UTC', '2024-01-05T22:00:00Z', 4 * H, '2024-01-08T02:00'],
    [BUSINESS, 'UTC', '2024-01-05T22:00:00Z', 2 * H, '2024-01-06T00:00'],
    [BUSINESS, 'UTC', '2024-01-05T10:00:00Z', D, '2024-01-08T10:00'],
    [BUSINESS, 'UTC', '2024-01-05T00:00:00Z', D, '2024-01-06T00:00'],
    [BUSINESS, 'UTC', '2024-01-05T00:00:00Z', 2 * D, '2024-01-09T00:00'],
    [BUSINESS, 'UTC', '2024-01-05T10:00:00Z', D + 20 * H, '2024-01-09T06:00'],
    [BUSINESS, 'UTC', '2024-01-06T15:00:00Z', 3 * H, '2024-01-08T03:00'],
    [BUSINESS, 'UTC', '2024-01-06T15:00:00Z', D, '2024-01-09T00:00'],
    [BUSINESS, 'UTC', '2024-01-01T09:00:00Z', 10 * D, '2024-01-15T09:00'],
    [BUSINESS, 'UTC', '2024-01-06T00:00:00Z', '06:00', '2024-01-08T06:00'],
    [BUSINESS, 'UTC', '2024-01-05T06:00:01Z', '06:00', '2024-01-08T06:00'],
    // Friday evening in New York is Saturday in UTC; it is the zone's day that counts.
    [BUSINESS, 'America/New_York', '2024-01-06T03:00:00Z', 4 * H, '2024-01-08T07:00'],
    [BUSINESS, 'Asia/Tokyo', '2024-01-05T14:00:00Z', 2 * H, '2024-01-07T16:00'],
    // 25 December 2024 is a Wednesday.
    [HOLIDAYS, 'Europe/Berlin', '2024-12-24T15:00:00Z', D, '2024-12-27T15:00'],
    [HOLIDAYS, 'Europe/Berlin', '2024-12-24T22:00:00Z', 3 * H, '2024-12-27T01:00'],
    [HOLIDAYS, 'Europe/Berlin', '2024-12-24T20:00:00Z', '06:00', '2024-12-27T05:00'],
    [HOLIDAYS, 'Europe/Berlin', '2024-12-31T15:00:00Z', '06:00', '2025-01-02T05:00'],
    [HOLIDAYS, 'Europe/Berlin', '2024-12-27T15:00:00Z', 3 * D, '2025-01-02T15:00'],
    // Clocks in Berlin are put forward on Sunday 31 March 2024, and back on Sunday 27 October: over the weekend a day stays a day on the wall.
    [BUSINESS, 'Europe/Berlin', '2024-03-29T09:00:00Z', D, '2024-04-01T08:00'],
    [BUSINESS, 'Europe/Berlin', '2024-03-29T21:00:00Z', 4 * H, '2024-04-01T00:00'],
    [BUSINESS, 'Europe/Berlin', '2024-10-25T08:00:00Z', D, '2024-10-28T09:00'],
    [BUSINESS, 'Europe/Berlin', '2024-10-25T20:00:00Z', 4 * H, '2024-10-28T01:00'],
    // On the days themselves: hours are hours, days are days.
    [ALL, 'Europe/Berlin', '2024-03-30T21:00:00Z', 6 * H, '2024-03-31T03:00'],
    [ALL, 'Europe/Berlin', '2024-03-30T09:00:00Z', D, '2024-03-31T08:00'],
    [ALL, 'Europe/Berlin', '2024-03-30T01:30:00Z', D, '2024-03-31T01:30'],
    [ALL, 'Europe/Berlin', '2024-03-30T23:00:00Z', D, '2024-03-31T22:00'],
    [ALL, 'Europe/Berlin', '2024-10-26T20:00:00Z', 6 * H, '2024-10-27T02:00'],
    [ALL, 'Europe/Berlin', '2024-10-26T08:00:00Z', D, '2024-10-27T09:00'],
    [ALL, 'Europe/Berlin', '2024-10-26T00:30:00Z', D, '2024-10-27T00:30'],
    [ALL, 'Europe/Berlin', '2024-10-26T22:00:00Z', D, '2024-10-27T23:00'],
    // Clocks in Cairo skip midnight: 26 April 2024 begins at 01:00.
    [{ exclude: ['2024-04-25'] }, 'Africa/Cairo', '2024-04-24T21:00:00Z', 3 * H, '2024-04-26T00:00'],
  ];
  for (const [calendar, zone, from, what, expected] of counted) {
    const words = typeof what === 'number' ? `${what / HOUR} h` : `by ${what}`;
    it(`on the days of ${JSON.stringify(calendar)} in ${zone}: ${words} after ${from}`, () => {
      const promise: SlaCondition =
        typeof what === 'number' ? { kind: 'within', ms: what, reference: 'data_interval_end' } : { kind: 'by', time: what };
      const found = deadlineOf({ ...sla(promise), calendar }, zone, { interval: { start: '2020-01-01T00:00:00Z', end: from } });
      assert.equal(new Date(found?.at ?? NaN).toISOString().slice(0, 16), expected);
    });
  }

  it('warn after a part of the time that counts, never on a day that does not', () => {
    const warnedAt = (promise: SlaCondition, warnAt: WarnAt): string => {
      const times: Times = { interval: { start: '2024-01-05T20:00:00Z', end: '2024-01-05T20:00:00Z' } };
      return new Date(deadlineOf({ ...sla(promise, warnAt), calendar: BUSINESS }, 'UTC', times)?.warnAt ?? NaN).toISOString().slice(0, 16);
    };
    const within = { kind: 'within', ms: 10 * HOUR, reference: 'data_interval_end' } as const;
    assert.equal(warnedAt(within, { part: 0.8 }), '2024-01-08T04:00');
    assert.equal(warnedAt(within, { part: 0.2 }), '2024-01-05T22:00');
    assert.equal(warnedAt(within, { afterMs: 5 * HOUR }), '2024-01-08T01:00');
    assert.equal(warnedAt({ kind: 'by', time: '06:00' }, { part: 0.5 }), '2024-01-08T01:00');
    assert.equal(warnedAt({ kind: 'by', time: '06:00' }, { afterMs: 99 * HOUR }), '2024-01-08T06:00');
  });

  it('conditions have none', () => {
    assert.equal(deadline({ kind: 'assert', condition: 'true' }), undefined);
  });

  it('of a run is the strictest of those about whole runs that are watched for its cause', () => {
    const within = (hours: number, given: Partial<SlaPlan> = {}): SlaPlan => ({
      ...sla({ kind: 'within', ms: hours * HOUR, reference: 'data_interval_end' }),
      ...given,
    });
    const found = (cause: string, ...slas: SlaPlan[]): string | undefined => {
      const ms = runDeadline({ ...planOf('promised', []), slas }, cause, TIMES);
      return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
    };
    assert.equal(
      found('scheduled', within(5), within(3), within(1, { task: 'load' }), within(2, { dataset: 's3://a/b' })),
      '2024-01-02T03:00',
    );
    assert.equal(found('manual', within(5), within(3, { suppressWhen: ['manual'] })), '2024-01-02T05:00');
    assert.equal(found('backfill', within(3, { suppressWhen: ['backfill'] })), undefined);
    assert.equal(found('scheduled', sla({ kind: 'assert', condition: 'true' })), undefined);
    assert.equal(found('scheduled'), undefined);
  });
});
