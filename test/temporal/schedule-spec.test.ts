import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { msNumberToTs, type Timestamp, tsToMs } from '@temporalio/common/lib/time.js';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { firingInstant, scheduleSpec, specHorizon } from '../../temporal/schedules/schedule-spec.ts';
import { iso, type SchedulePlan, tickAfter } from '../../workflows/plan/timetable/schedule.ts';
import { CLOCK_CHANGE_CASES } from '../support/clock-change-cases.ts';
import { randomSchedule } from '../support/random-schedules.ts';
import { testStack } from '../support/test-stack.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2025-01-01T00:00:00Z');
const SCHEDULE_ID = 'schedule_spec_test';

/** What the compiler says of a schedule, and what the server makes of it. */
describe('schedules in a real Temporal', function () {
  let client: Client;

  before(async function () {
    this.timeout('3m');
    client = await connectClient((await testStack(['temporal'])).environment);
  });

  after(() => client.connection.close());

  async function firedBetween(schedule: SchedulePlan, from: number, to: number): Promise<string[]> {
    const handle = await client.schedule.create({
      scheduleId: SCHEDULE_ID,
      spec: scheduleSpec(schedule, NOW),
      action: { type: 'startWorkflow', workflowType: 'nobody', taskQueue: 'nobody' },
      state: { paused: true },
    });
    try {
      const found: { startTime: Timestamp[] } = await client.workflowService.listScheduleMatchingTimes({
        namespace: client.options.namespace,
        scheduleId: SCHEDULE_ID,
        // The start is exclusive, the end inclusive.
        startTime: msNumberToTs(from - 1000),
        endTime: msNumberToTs(to - 1000),
      });
      return found.startTime.map((time) => iso(tsToMs(time)));
    } finally {
      await handle.delete();
    }
  }

  function declaredBetween(schedule: SchedulePlan, from: number, to: number): string[] {
    const ticks: string[] = [];
    for (let tick = tickAfter(schedule, from - 1); tick !== undefined && tick < to; tick = tickAfter(schedule, tick)) {
      ticks.push(iso(firingInstant(schedule, tick)));
    }
    return ticks;
  }

  for (const { schedule, day } of CLOCK_CHANGE_CASES) {
    it(`${schedule.cron} ${schedule.timezone} ${JSON.stringify(schedule.dst ?? {})} around ${day}`, async () => {
      const [from, to] = [Date.parse(day) - 2 * DAY, Date.parse(day) + 3 * DAY];
      const declared = declaredBetween(schedule, from, to);
      assert.ok(declared.length >= 4, 'the table is about schedules that fire');
      assert.deepEqual(await firedBetween(schedule, from, to), declared);
    });
  }

  for (const [name, schedule, from, to] of [
    [
      'business days and holidays',
      {
        kind: 'cron',
        cron: '0 6 * * *',
        timezone: 'Europe/Berlin',
        calendar: { businessDays: true, exclude: ['2025-12-25', '2025-12-26'] },
      },
      '2025-12-20',
      '2026-01-07',
    ],
    [
      'an excluded day of a period',
      { kind: 'every', everyMs: 6 * 3_600_000, timezone: 'Pacific/Auckland', calendar: { exclude: ['2025-12-25'] } },
      '2025-12-23',
      '2025-12-28',
    ],
    ['29 February', { kind: 'cron', cron: '0 0 29 2 *', timezone: 'Europe/Berlin' }, '2025-01-01', '2033-01-01'],
    ['the end of a year', { kind: 'cron', cron: '59 23 31 12 *', timezone: 'America/New_York' }, '2025-01-01', '2029-01-01'],
    ['either day', { kind: 'cron', cron: '0 0 13 * fri', timezone: 'UTC' }, '2025-06-01', '2025-07-15'],
    [
      'from start_date to end_date',
      { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', startAt: '2025-03-01T00:00:00Z', endAt: '2025-03-03T00:00:00Z' },
      '2025-02-01',
      '2025-04-01',
    ],
  ] as [string, SchedulePlan, string, string][]) {
    it(name, async () => {
      const declared = declaredBetween(schedule, Date.parse(from), Date.parse(to));
      assert.ok(declared.length > 1);
      assert.deepEqual(await firedBetween(schedule, Date.parse(from), Date.parse(to)), declared);
    });
  }

  it('random ones fire as they are declared', async function () {
    this.timeout('60s');
    for (const schedule of fc.sample(randomSchedule, { numRuns: 15, seed: 20_261_128 })) {
      const [from, to] = [NOW, NOW + 200 * DAY];
      const declared = declaredBetween(schedule, from, to).slice(0, 900);
      assert.deepEqual((await firedBetween(schedule, from, to)).slice(0, 900), declared, JSON.stringify(schedule));
    }
  });

  it('a schedule that has ended never fires', async () => {
    const schedule: SchedulePlan = { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC', endAt: '1960-01-01T00:00:00Z' };
    assert.deepEqual(await firedBetween(schedule, NOW, NOW + 10 * DAY), []);
  });

  it('what is spelled out is renewed every year, and nothing is where no clocks are changed', () => {
    const berlin: SchedulePlan = { kind: 'cron', cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    assert.notEqual(specHorizon(berlin, NOW), specHorizon(berlin, NOW + 366 * DAY));
    assert.equal(specHorizon({ ...berlin, timezone: 'UTC' }, NOW), '');
    assert.equal(specHorizon({ ...berlin, cron: '0 6 * * *' }, NOW), '');
    assert.deepEqual(scheduleSpec({ ...berlin, cron: '0 6 * * *' }, NOW).skip, []);
  });
});
