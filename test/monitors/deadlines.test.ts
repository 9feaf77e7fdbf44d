import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { deadlineOf, type Times } from '../../monitors/deadlines.ts';
import type { SchedulePlan } from '../../workflows/plan/schedule.ts';
import type { SlaPlan, SlaPromise, WarnAt } from '../../workflows/plan/sla.ts';

const HOUR = 3_600_000;
const at = (time: string): number => Date.parse(time);
const daily = (timezone: string): SchedulePlan => ({ kind: 'cron', cron: '0 0 * * *', timezone });
const TIMES: Times = {
  interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
  queuedAt: at('2024-01-02T00:01:00Z'),
  startedAt: at('2024-01-02T00:05:00Z'),
  previousSuccess: at('2024-01-01T03:00:00Z'),
};

function sla(promise: SlaPromise, warnAt?: WarnAt): SlaPlan {
  return { name: 'p', promise, suppressWhen: [], ...(warnAt && { warnAt }) };
}

function deadline(promise: SlaPromise, timezone = 'UTC', times = TIMES): string | undefined {
  const found = deadlineOf(sla(promise), daily(timezone), times);
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
      new Date(deadlineOf(sla(promise, warnAt), daily('UTC'), TIMES)?.warnAt ?? NaN).toISOString().slice(0, 16);
    assert.equal(warnedAt({ part: 0.8 }), '2024-01-02T01:36');
    assert.equal(warnedAt({ afterMs: HOUR }), '2024-01-02T01:00');
    assert.equal(warnedAt({ afterMs: 9 * HOUR }), '2024-01-02T02:00');
  });

  it('conditions have none', () => {
    assert.equal(deadline({ kind: 'assert', condition: 'true' }), undefined);
  });
});
