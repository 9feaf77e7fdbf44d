import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { leavesOut } from '../../../workflows/plan/timetable/calendar.ts';
import {
  cronsOf,
  dataIntervalAround,
  dataIntervalAt,
  iso,
  type SchedulePlan,
  tickAfter,
  tickBefore,
} from '../../../workflows/plan/timetable/schedule.ts';
import { wallTime } from '../../../workflows/plan/timetable/time-zone.ts';
import { compiler } from '../../support/compiler.ts';
import { randomSchedule } from '../../support/random-schedules.ts';
import { caseCount } from '../../support/random-cases.ts';

const DAY = 86_400_000;
const FROM = Date.parse('2025-01-01T00:00:00Z');
const TO = FROM + 400 * DAY;

function compile(...lines: readonly string[]) {
  const { plan, diagnostics } = compiler.compile({
    file: 'x.yaml',
    text: ['dag_id: x', ...lines, 'tasks: [{name: a, type: empty}]'].join('\n'),
  });
  return { schedule: plan?.schedule ?? undefined, told: diagnostics.map(({ code, message, hint = '' }) => `${code} ${message} | ${hint}`) };
}

function ticksOf(schedule: SchedulePlan | undefined, from = FROM, count = 6): string[] {
  assert.ok(schedule);
  const ticks: string[] = [];
  for (let tick = tickAfter(schedule, from - 1); tick !== undefined && ticks.length < count; tick = tickAfter(schedule, tick))
    ticks.push(iso(tick));
  return ticks;
}

/** Whether a field of cron names a value; written anew, to be held against the other. */
function names(field: string, value: number, min: number, max: number): boolean {
  const words = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  const numberOf = (text: string): number => {
    const named = max === 6 ? words.indexOf(text.toLowerCase()) : max === 12 ? months.indexOf(text.toLowerCase()) + 1 : -1;
    return named > (max === 12 ? 0 : -1) ? named : Number(text);
  };
  return field.split(',').some((item) => {
    const [range = '', step = '1'] = item.split('/');
    const [first = '', last = item.includes('/') ? String(max) : first] = range === '*' ? [String(min), String(max)] : range.split('-');
    for (let at = numberOf(first), count = 0; count <= max - min; at = at === max ? min : at + 1, count++) {
      if (at === value && count % Number(step) === 0) return true;
      if (at === numberOf(last)) return false;
    }
    return false;
  });
}

function firesOn(cron: string, day: Date): boolean {
  const [, , dayOfMonth = '', month = '', dayOfWeek = ''] = cron.split(' ');
  const [date, weekday] = [day.getUTCDate(), day.getUTCDay()];
  const length = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
  if (!names(month, day.getUTCMonth() + 1, 1, 12)) return false;
  const byMonth = dayOfMonth.split(',').some((item) => (item === 'L' ? date === length : names(item, date, 1, 31)));
  const byWeek = dayOfWeek.split(',').some((item) => {
    const nth = /^(\w+)#(\d)$/.exec(item);
    if (nth) return names(nth[1] ?? '', weekday, 0, 6) && date > (Number(nth[2]) - 1) * 7 && date <= Number(nth[2]) * 7;
    const last = /^(?:(\d)L|L(\d))$/.exec(item);
    return last ? weekday === Number(last[1] ?? last[2]) && date > length - 7 : names(item, weekday, 0, 6);
  });
  return dayOfMonth.startsWith('*') || dayOfWeek.startsWith('*') ? byMonth && byWeek : byMonth || byWeek;
}

/** All ticks of 400 days in UTC, day by day. */
function ticksByDay(schedule: SchedulePlan): number[] {
  const { calendar } = schedule;
  const ticks = new Set<number>();
  for (let day = FROM - 30 * DAY; day < TO + 30 * DAY; day += DAY) {
    let target = day;
    if (calendar && leavesOut(calendar, day)) {
      if (calendar.onHoliday === undefined) continue;
      while (leavesOut(calendar, target)) target += calendar.onHoliday === 'next_business_day' ? DAY : -DAY;
    }
    for (const cron of cronsOf(schedule)) {
      if (!firesOn(cron, new Date(day))) continue;
      const [minute = '', hour = ''] = cron.split(' ');
      for (let at = 0; at < 24; at++) if (names(hour, at, 0, 23)) ticks.add(target + at * 3_600_000 + Number(minute) * 60_000);
    }
  }
  return [...ticks].filter((tick) => tick >= FROM && tick < TO).sort((a, b) => a - b);
}

function ticksThrough(schedule: SchedulePlan): number[] {
  const ticks: number[] = [];
  for (let tick = tickAfter(schedule, FROM - 1); tick !== undefined && tick < TO; tick = tickAfter(schedule, tick)) ticks.push(tick);
  return ticks;
}

describe('schedules', () => {
  it('fire when their crons and calendars say, of random ones', () => {
    const property = fc.property(randomSchedule, (drawn) => {
      if (drawn.kind !== 'cron') return;
      const schedule: SchedulePlan = { ...drawn, timezone: 'UTC' };
      assert.deepEqual(ticksThrough(schedule).map(iso), ticksByDay(schedule).map(iso));
    });
    fc.assert(property, { numRuns: caseCount(30), seed: 20_261_128 });
  });

  it('have the same ticks forwards, backwards and as intervals, in every zone', () => {
    const property = fc.property(randomSchedule, (schedule) => {
      const forwards = ticksThrough(schedule).slice(0, 120);
      const backwards: number[] = [];
      const end = (forwards.at(-1) ?? FROM) + 1;
      for (let tick = tickBefore(schedule, end); tick !== undefined && tick >= FROM; tick = tickBefore(schedule, tick))
        backwards.push(tick);
      assert.deepEqual(backwards.reverse(), forwards);
      for (const [index, tick] of forwards.entries()) {
        const before = forwards[index - 1];
        if (before === undefined) continue;
        assert.deepEqual(dataIntervalAt(schedule, tick), { start: iso(before), end: iso(tick) });
        assert.deepEqual(dataIntervalAround(schedule, before), { start: iso(before), end: iso(tick) });
        if (schedule.calendar) assert.ok(!leavesOut(schedule.calendar, wallTime(tick, schedule.timezone)));
      }
    });
    fc.assert(property, { numRuns: caseCount(20), seed: 20_261_128 });
  });

  it('take several crons, and presets among them', () => {
    for (const line of ['schedule_interval: ["0 1 * * *", "15 8 * * *"]', 'schedule: {cron: ["0 1 * * *", "15 8 * * *"]}'])
      assert.deepEqual(ticksOf(compile(line).schedule, FROM, 3), ['2025-01-01T01:00:00Z', '2025-01-01T08:15:00Z', '2025-01-02T01:00:00Z']);
    assert.deepEqual(compile('schedule_interval: ["@daily", "0 12 * * *"]').told, []);
    assert.match(compile('schedule_interval: ["0 1 * * *", "15 28 * * *"]').told.join(), /^SL209 .*hour field '28'/);
  });

  it('take last days, second Mondays and ranges that go round', () => {
    assert.deepEqual(ticksOf(compile('schedule_interval: "0 0 L * *"').schedule, FROM, 2), [
      '2025-01-31T00:00:00Z',
      '2025-02-28T00:00:00Z',
    ]);
    assert.deepEqual(ticksOf(compile('schedule_interval: "0 0 * * 1#2"').schedule, FROM, 2), [
      '2025-01-13T00:00:00Z',
      '2025-02-10T00:00:00Z',
    ]);
    assert.deepEqual(ticksOf(compile('schedule_interval: "0 0 * * 5L"').schedule, FROM, 2), [
      '2025-01-31T00:00:00Z',
      '2025-02-28T00:00:00Z',
    ]);
    assert.deepEqual(
      ticksOf(compile('schedule_interval: "0 22-1 * * *"').schedule, FROM, 4).map((tick) => tick.slice(11, 13)),
      ['00', '01', '22', '23'],
    );
    for (const wrong of ['0 0 LW * *', '0 0 15W * *', '0 0 * * L', '0 0 * * 1#6', '0 0 ? * *', '0 0 L-3 * *'])
      assert.match(compile(`schedule_interval: "${wrong}"`).told.join(), /^SL209/, wrong);
  });

  it('warn where schedulers do not agree', () => {
    assert.match(compile('schedule_interval: "0 0 */2 * 1"').told.join(), /^SL212 .*write "0 0 1-31\/2 \* 1"/);
    assert.deepEqual(compile('schedule_interval: "0 0 1-31/2 * 1"').told, []);
    assert.deepEqual(compile('schedule_interval: "0 0 */2 * *"').told, []);
  });

  it('warn of a step that is longer than its field', () => {
    for (const [cron, hint] of [
      ['*/90 * * * *', 'in place of cron: 90m'],
      ['0 */36 * * *', 'in place of cron: 36h'],
      ['0 0 */45 * *', 'in place of cron: 45d'],
      ['0 0 1 */18 *', 'write *, or one value'],
    ] as const) {
      const told = compile(`schedule_interval: "${cron}"`).told.join();
      assert.ok(told.startsWith('SL212') && told.includes(hint), told);
    }
    for (const cron of ['*/60 * * * *', '0 */24 * * *', '*/45 * * * *', '0 0 1 */6 *']) {
      assert.deepEqual(compile(`schedule_interval: "${cron}"`).told, [], cron);
    }
  });

  it('move runs of holidays where the calendar requires it', () => {
    const lines = (how: string): string =>
      `schedule: {cron: "0 6 1 * *", calendar: {business_days: true, exclude: [2025-01-01], on_holiday: ${how}}}`;
    assert.deepEqual(ticksOf(compile(lines('skip')).schedule, FROM, 2), ['2025-04-01T06:00:00Z', '2025-05-01T06:00:00Z']);
    assert.deepEqual(ticksOf(compile(lines('next_business_day')).schedule, FROM, 3), [
      '2025-01-02T06:00:00Z',
      '2025-02-03T06:00:00Z',
      '2025-03-03T06:00:00Z',
    ]);
    assert.deepEqual(ticksOf(compile(lines('previous_business_day')).schedule, FROM, 2), ['2025-01-31T06:00:00Z', '2025-02-28T06:00:00Z']);
    assert.match(
      compile('schedule: {cron: "0 * * * *", calendar: {business_days: true, on_holiday: next_business_day}}').told.join(),
      /^SL209/,
    );
    assert.match(compile('schedule: {every: 1d, calendar: {business_days: true, on_holiday: next_business_day}}').told.join(), /^SL208/);
    const sla = 'sla: [{name: a, within: 2d, reference: data_interval_end, calendar: {business_days: true, on_holiday: skip}}]';
    assert.match(compile('schedule_interval: "@daily"', sla).told.join(), /^SL208 .*a deadline always skips excluded days/);
    assert.match(compile('schedule: {cron: "0 6 1 * *", calendar: {on_holiday: next_business_day}}').told.join(), /^SL202/);
  });

  it('count periods from start_date, in the time zone of the pipeline', () => {
    const of = (every: string, ...more: string[]): string[] =>
      ticksOf(compile(`schedule_interval: ${every}`, ...more).schedule, Date.parse('2024-01-01T00:00:00Z'), 3);
    const berlin = 'timezone: Europe/Berlin';
    assert.deepEqual(of('7d', 'start_date: 2024-01-01', berlin), ['2024-01-07T23:00:00Z', '2024-01-14T23:00:00Z', '2024-01-21T23:00:00Z']);
    assert.deepEqual(of('24h', 'start_date: 2024-03-30', berlin), ['2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z', '2024-04-01T22:00:00Z']);
    assert.deepEqual(of('2d', 'start_date: 2024-03-29', berlin), ['2024-03-30T23:00:00Z', '2024-04-01T22:00:00Z', '2024-04-03T22:00:00Z']);
    assert.deepEqual(of('5h', 'start_date: 2024-01-01T02:00'), ['2024-01-01T07:00:00Z', '2024-01-01T12:00:00Z', '2024-01-01T17:00:00Z']);
    assert.deepEqual(of('7d'), ['2024-01-04T00:00:00Z', '2024-01-11T00:00:00Z', '2024-01-18T00:00:00Z']);
  });
});
