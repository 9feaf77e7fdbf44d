import { PRESETS } from '../../workflows/plan/timetable/schedule.ts';
import { date, duration, expression, type JsonSchema, map, TIME_ZONE } from './json-schema.ts';

/** Days that do not count, for schedules and deadlines. */
export const CALENDAR = map(
  'Calendar',
  'Excluded days, in the time zone of the pipeline: the schedule has no runs on them, and deadlines do not count them.',
  { exclude: ['2024-12-25'], business_days: true },
  {
    exclude: {
      type: 'array',
      items: date('Day', 'An excluded day.'),
      title: 'Exclude',
      description: 'Excluded days, such as holidays.',
      examples: [['2024-12-25']],
    },
    business_days: { type: 'boolean', title: 'Business days', description: 'Monday to Friday only.', examples: [true] },
    on_holiday: {
      enum: ['skip', 'next_business_day', 'previous_business_day'],
      title: 'On holiday',
      description:
        'What to do with a run on an excluded day: skip it, or run at the same time on the next or the previous day that is not excluded. Default: skip.',
      examples: ['next_business_day'],
    },
  },
);

/** When a pipeline runs. */
export const SCHEDULE_KEYS = {
  schedule_interval: {
    type: ['string', 'null', 'array'],
    items: { type: 'string', title: 'Cron', description: 'A cron expression of five fields.', examples: ['0 1 * * *'] },
    minItems: 1,
    title: 'Schedule',
    description: `When it runs: ${Object.keys(PRESETS).join(', ')}, five-field cron or a list of them, a duration (15m), or null for manual runs only. Short form of schedule.`,
    examples: ['@daily', ['0 1 * * *', '15 8 * * *'], '0 6 * * 1-5', '15m', null],
  },
  schedule: map(
    'Schedule',
    'When it runs; the long form of schedule_interval.',
    { cron: '0 6 * * *', timezone: 'Europe/Berlin' },
    {
      cron: {
        type: ['string', 'array'],
        items: { type: 'string', title: 'Cron', description: 'A cron expression of five fields.', examples: ['0 1 * * *'] },
        minItems: 1,
        title: 'Cron',
        description: 'A cron expression of five fields, or a list of them: a run at each time of any.',
        examples: ['0 6 * * *', ['0 1 * * *', '15 8 * * *']],
      },
      every: duration('Every', 'The time between two runs, counted from start_date; without one from 1970-01-01T00:00Z.', '15m'),
      timezone: TIME_ZONE,
      jitter: duration('Jitter', 'Runs start up to this much later, at random, to spread the load.', '5m'),
      start_delay: duration('Start delay', 'Each run starts this long after its tick, for data that arrives late.', '30m'),
      calendar: { $ref: '#/definitions/calendar' },
      dst: map(
        'Daylight saving',
        'How ticks are handled when clocks change.',
        { gap: 'shift', overlap: 'first' },
        {
          gap: {
            enum: ['shift', 'skip'],
            title: 'Gap',
            description: 'A tick in the skipped hour: run an hour later, or skip it.',
            examples: ['shift'],
          },
          overlap: {
            enum: ['first', 'both'],
            title: 'Overlap',
            description: 'A tick in the repeated hour: run once or twice.',
            examples: ['first'],
          },
        },
      ),
    },
  ),
  start_date: date('Start date', 'No run before this day or time; in the time zone of the pipeline.'),
  end_date: date('End date', 'No run after this day or time; in the time zone of the pipeline.'),
  timezone: TIME_ZONE,
  catchup: {
    anyOf: [
      { type: 'boolean' },
      map(
        'Catch-up',
        'Which missed intervals to run.',
        { mode: 'all', window: '7d', max_runs: 50 },
        {
          mode: {
            enum: ['none', 'latest', 'all'],
            title: 'Mode',
            description: 'None, only the latest, or all.',
            examples: ['latest'],
          },
          window: duration('Window', 'Only intervals that are not older than this.', '7d'),
          max_runs: {
            type: 'integer',
            minimum: 1,
            title: 'At most',
            description: 'At most this many intervals, the newest first.',
            examples: [50],
          },
        },
        ['mode'],
      ),
    ],
    title: 'Catch-up',
    description: 'Whether to run intervals since start_date that have never run. Default: false.',
    examples: [false, { mode: 'all', window: '7d' }],
  },
  max_active_runs: {
    type: 'integer',
    minimum: 1,
    title: 'Runs at once',
    description: 'Maximum number of active runs, whatever started them; other runs wait in order, as queued.',
    examples: [1],
  },
  concurrency: map(
    'Concurrency',
    'Concurrency settings beyond max_active_runs.',
    { limit: 1, key: 'params.region', on_overlap: 'queue' },
    {
      limit: { type: 'integer', minimum: 1, title: 'Limit', description: 'Maximum number of runs at the same time.', examples: [1] },
      key: expression('Key', 'An expression: the limit applies separately to each of its values.', 'params.region'),
      on_overlap: {
        enum: ['queue', 'skip', 'cancel_running', 'cancel_new'],
        title: 'On overlap',
        description: 'What to do with a run that exceeds the limit.',
        examples: ['queue'],
      },
    },
    ['limit'],
  ),
  dagrun_timeout: duration('Run timeout', 'A run that takes longer fails.', '2h'),
} as const satisfies Record<string, JsonSchema>;
