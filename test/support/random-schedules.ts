import fc from 'fast-check';
import type { CalendarPlan } from '../../workflows/plan/timetable/calendar.ts';
import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';

const hour = fc.constantFrom('0', '6', '23', '1,13', '22-2/2', '8-10/2');
const dayOfMonth = fc.constantFrom('*', '*', '1', '15', 'L', '13,L', '31', '28-3', '*/10', '1-31/9');
const month = fc.constantFrom('*', '*', '*', '2', 'nov-feb', '1,4,7,10');
const dayOfWeek = fc.constantFrom('*', '*', 'MON', 'FRI-MON', '1#2', '5L', 'L5', 'tue#5', '0,3#1', '6-1');

const cron = fc
  .tuple(fc.constantFrom('0', '30', '15'), hour, dayOfMonth, month, dayOfWeek)
  .map(([minute, ...fields]) => [minute, ...fields].join(' '));

const calendar: fc.Arbitrary<CalendarPlan | undefined> = fc.option(
  fc.record(
    {
      businessDays: fc.constant(true as const),
      exclude: fc.constantFrom(['2025-01-01'], ['2025-04-18', '2025-04-21'], ['2025-12-24', '2025-12-25', '2025-12-26', '2025-12-27']),
      onHoliday: fc.constantFrom('next_business_day' as const, 'previous_business_day' as const),
    },
    { requiredKeys: ['exclude'] },
  ),
  { nil: undefined },
);

const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Auckland');

/** Schedules of all kinds: several crons, last days, nth weekdays, wrapping ranges, shifted days, intervals from a start day. */
export const randomSchedule: fc.Arbitrary<SchedulePlan> = fc
  .oneof(
    { weight: 4, arbitrary: fc.record({ timezone: zone, crons: fc.array(cron, { minLength: 1, maxLength: 3 }), calendar }) },
    {
      weight: 1,
      arbitrary: fc.record({
        timezone: zone,
        everyMs: fc.constantFrom(6, 24, 36, 48, 14 * 24).map((hours) => hours * 3_600_000),
        anchor: fc.constantFrom('2024-12-02T00:00:00Z', '2024-11-30T23:00:00Z', '2024-12-01T05:30:10Z'),
      }),
    },
  )
  .map((drawn): SchedulePlan => {
    if ('everyMs' in drawn) return { kind: 'every', ...drawn };
    const { crons, calendar: days, timezone } = drawn;
    const [first = '0 0 * * *', ...more] = [...new Set(crons)];
    return { kind: 'cron', cron: first, ...(more.length > 0 && { moreCrons: more }), timezone, ...(days && { calendar: days }) };
  });
