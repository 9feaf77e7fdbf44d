import type { ScheduleOptions } from '@temporalio/client';
import type { Cron } from '../../workflows/plan/timetable/cron.ts';

type CalendarSpec = NonNullable<NonNullable<ScheduleOptions['spec']>['calendars']>[number];

/** Days that match all of these conditions. */
interface Days {
  readonly months: readonly number[];
  readonly days: readonly number[];
  readonly weekdays: readonly number[];
  /** Whether February has 29 days; absent: both. */
  readonly isLeap?: boolean;
}

/** Months as Temporal's calendars name them. */
export const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;
const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const ANY: Days = { months: from(1, 12), days: from(1, 31), weekdays: from(0, 6) };

/** Months by their number of days. */
const LENGTHS: readonly (Pick<Days, 'months' | 'isLeap'> & { readonly length: number })[] = [
  { length: 31, months: [1, 3, 5, 7, 8, 10, 12] },
  { length: 30, months: [4, 6, 9, 11] },
  { length: 28, months: [2], isLeap: false },
  { length: 29, months: [2], isLeap: true },
];

/** Converts a cron expression to Temporal's calendars, which lack last days of months and nth weekdays: valid until 2099. */
export function calendarsOf(cron: Cron): CalendarSpec[] {
  const byMonth: Days[] = [
    ...(cron.daysOfMonth.length > 0 ? [{ ...ANY, days: cron.daysOfMonth }] : []),
    ...(cron.lastDay ? LENGTHS.map(({ length, ...rest }) => ({ ...ANY, ...rest, days: [length] })) : []),
  ];
  const byWeek: Days[] = [
    ...(cron.daysOfWeek.length > 0 ? [{ ...ANY, weekdays: cron.daysOfWeek }] : []),
    ...cron.nthWeekdays.flatMap(({ weekday, nth }): Days[] =>
      nth > 0
        ? [{ ...ANY, weekdays: [weekday], days: from(nth * 7 - 6, Math.min(nth * 7, 31)) }]
        : LENGTHS.map(({ length, ...rest }) => ({ ...ANY, ...rest, weekdays: [weekday], days: from(length - 6, length) })),
    ),
  ];
  const days = cron.eitherDay ? [...byMonth, ...byWeek] : byMonth.flatMap((one) => byWeek.flatMap((other) => both(one, other)));
  return days.flatMap((each) => both(each, { ...ANY, months: cron.months })).flatMap((each) => calendarOf(each, cron));
}

function both(one: Days, other: Days): Days[] {
  if (one.isLeap !== undefined && other.isLeap !== undefined && one.isLeap !== other.isLeap) return [];
  const shared = (key: 'months' | 'days' | 'weekdays'): number[] => one[key].filter((each) => other[key].includes(each));
  const isLeap = one.isLeap ?? other.isLeap;
  const days: Days = {
    months: shared('months'),
    days: shared('days'),
    weekdays: shared('weekdays'),
    ...(isLeap !== undefined && { isLeap }),
  };
  return days.months.length > 0 && days.days.length > 0 && days.weekdays.length > 0 ? [days] : [];
}

function calendarOf({ months, days, weekdays, isLeap }: Days, { minutes, hours }: Cron): CalendarSpec {
  return {
    minute: [...minutes],
    hour: [...hours],
    month: months.map((month) => MONTHS[month - 1] ?? 'JANUARY'),
    dayOfMonth: [...days],
    dayOfWeek: weekdays.map((weekday) => WEEKDAYS[weekday] ?? 'SUNDAY'),
    ...(isLeap !== undefined && { year: (isLeap ? [2024] : [2025, 2026, 2027]).map((start) => ({ start, end: 2099, step: 4 })) }),
  };
}
