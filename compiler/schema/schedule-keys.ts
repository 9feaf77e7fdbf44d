import { PRESETS } from '../../workflows/plan/timetable/schedule.ts';
import { date, duration, type JsonSchema, map, text, TIME_ZONE } from './json-schema.ts';

/** Days that do not count: for a schedule, and for deadlines. */
export const CALENDAR = map(
  'Calendar',
  'Days that do not count, in the time zone of the pipeline: a schedule has no runs on them, no deadline comes nearer.',
  { exclude: ['2024-12-25'], business_days: true },
  {
    exclude: {
      type: 'array',
      items: date('Day', 'A day that does not count.'),
      title: 'Exclude',
      description: 'Days that do not count: holidays.',
      examples: [['2024-12-25']],
    },
    business_days: { type: 'boolean', title: 'Business days', description: 'Monday to Friday only.', examples: [true] },
    on_holiday: {
      enum: ['skip', 'next_business_day', 'previous_business_day'],
      title: 'On holiday',
      description:
        'What becomes of a run on a day that does not count: none, or at the same time of the next or the previous day that does. Default: skip.',
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
    description: `When it runs: ${Object.keys(PRESETS).join(', ')}, five-field cron or a list of them, a duration (15m), or null for by hand only. Short form of schedule.`,
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
      start_delay: duration('Start delay', 'Each run starts this much later than its tick, for data that comes late.', '30m'),
      calendar: { $ref: '#/definitions/calendar' },
      dst: map(
        'Daylight saving',
        'What happens to ticks when clocks are changed.',
        { gap: 'shift', overlap: 'first' },
        {
          gap: {
            enum: ['shift', 'skip'],
            title: 'Gap',
            description: 'A tick in the hour that is left out: an hour later, or not at all.',
            examples: ['shift'],
          },
          overlap: {
            enum: ['first', 'both'],
            title: 'Overlap',
            description: 'A tick in the hour that comes twice: once, or twice.',
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
        'Which missed intervals are run.',
        { mode: 'all', window: '7d', max_runs: 50 },
        {
          mode: {
            enum: ['none', 'latest', 'all'],
            title: 'Mode',
            description: 'None, the latest only, or all of them.',
            examples: ['latest'],
          },
          window: duration('Window', 'Only intervals that are not older.', '7d'),
          max_runs: { type: 'integer', minimum: 1, title: 'At most', description: 'The newest so many.', examples: [50] },
        },
        ['mode'],
      ),
    ],
    title: 'Catch-up',
    description: 'Whether intervals since start_date that never ran are run. Default: false.',
    examples: [false, { mode: 'all', window: '7d' }],
  },
  max_active_runs: {
    type: 'integer',
    minimum: 1,
    title: 'Runs at once',
    description: 'How many runs may be active at the same time, however they were started; the others wait as queued, in order.',
    examples: [1],
  },
  concurrency: map(
    'Concurrency',
    'What max_active_runs cannot say.',
    { limit: 1, key: 'params.region', on_overlap: 'queue' },
    {
      limit: { type: 'integer', minimum: 1, title: 'Limit', description: 'How many runs at the same time.', examples: [1] },
      key: { ...text('Key', 'An expression: the limit holds for runs of the same value.', 'params.region'), template: 'expression' },
      on_overlap: {
        enum: ['queue', 'skip', 'cancel_running', 'cancel_new'],
        title: 'On overlap',
        description: 'What happens to a run for which there is no room.',
        examples: ['queue'],
      },
    },
    ['limit'],
  ),
  dagrun_timeout: duration('Run timeout', 'A run that takes longer is ended as failed.', '2h'),
} as const satisfies Record<string, JsonSchema>;
