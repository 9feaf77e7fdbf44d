import type { SchedulePlan } from '../../workflows/plan/timetable/schedule.ts';

/** Clock changes of 2025: the day on which clocks go forward, and the day on which they go back. */
const DAYS = {
  'America/New_York': { forward: '2025-03-09', back: '2025-11-02' },
  'Europe/Berlin': { forward: '2025-03-30', back: '2025-10-26' },
  // By half an hour: 02:00 becomes 02:30, and 02:00 becomes 01:30.
  'Australia/Lord_Howe': { forward: '2025-10-05', back: '2025-04-06' },
} as const;
type Zone = keyof typeof DAYS;

/** How often a schedule fires per local day. */
export interface ClockChangeCase {
  readonly schedule: SchedulePlan & { readonly kind: 'cron' };
  readonly day: string;
  readonly count: number;
  readonly name: string;
}

/** zone, cron, rule, ticks on the day when clocks go forward, when they go back, and on the day after that */
const TABLE: readonly [Zone, string, SchedulePlan['dst'], number, number, number][] = [
  ['America/New_York', '30 2 * * *', undefined, 1, 1, 1],
  ['America/New_York', '30 2 * * *', { gap: 'skip' }, 0, 1, 1],
  ['America/New_York', '30 1 * * *', undefined, 1, 1, 1],
  ['America/New_York', '30 1 * * *', { overlap: 'both' }, 1, 2, 1],
  ['America/New_York', '0 * * * *', undefined, 23, 25, 24],
  ['America/New_York', '0 * * * *', { overlap: 'first' }, 23, 24, 24],
  ['America/New_York', '*/15 * * * *', undefined, 92, 100, 96],
  ['America/New_York', '0 1-3 * * *', { gap: 'skip', overlap: 'both' }, 2, 4, 3],
  ['Europe/Berlin', '30 2 * * *', undefined, 1, 1, 1],
  ['Europe/Berlin', '30 2 * * *', { gap: 'skip' }, 0, 1, 1],
  ['Europe/Berlin', '30 2 * * *', { overlap: 'both' }, 1, 2, 1],
  ['Europe/Berlin', '30 2,3 * * *', undefined, 1, 2, 2],
  ['Europe/Berlin', '0 * * * *', undefined, 23, 25, 24],
  ['Europe/Berlin', '0 * * * *', { overlap: 'first' }, 23, 24, 24],
  ['Europe/Berlin', '0 0 * * *', undefined, 1, 1, 1],
  ['Australia/Lord_Howe', '15 2 * * *', undefined, 1, 1, 1],
  ['Australia/Lord_Howe', '15 2 * * *', { gap: 'skip' }, 0, 1, 1],
  ['Australia/Lord_Howe', '45 1 * * *', undefined, 1, 1, 1],
  ['Australia/Lord_Howe', '45 1 * * *', { overlap: 'both' }, 1, 2, 1],
  ['Australia/Lord_Howe', '0 * * * *', undefined, 24, 24, 24],
  ['Australia/Lord_Howe', '0 * * * *', { gap: 'skip' }, 23, 24, 24],
  ['Australia/Lord_Howe', '*/30 * * * *', undefined, 47, 49, 48],
  ['Australia/Lord_Howe', '*/30 * * * *', { overlap: 'first' }, 47, 48, 48],
];

export const CLOCK_CHANGE_CASES: readonly ClockChangeCase[] = TABLE.flatMap(([timezone, cron, dst, forward, back, after]) => {
  const schedule = { kind: 'cron', cron, timezone, ...(dst && { dst }) } as const;
  const days = DAYS[timezone];
  const rule = dst ? ` ${JSON.stringify(dst)}` : '';
  const dayAfter = new Date(Date.parse(days.back) + 86_400_000).toISOString().slice(0, 10);
  return (
    [
      [days.forward, forward],
      [days.back, back],
      [dayAfter, after],
    ] as const
  ).map(([day, count]) => ({ schedule, day, count, name: `${cron} ${timezone}${rule} on ${day}: ${count}` }));
});
