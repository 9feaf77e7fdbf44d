import type { TaskType } from '../activities/define-task.ts';
import { DURATION_HELP } from '../workflows/plan/duration.ts';
import { PRESETS } from '../workflows/plan/schedule.ts';
import { TRIGGER_RULES } from '../workflows/plan/trigger-rule.ts';

/** A JSON Schema (draft 07), or a part of one. Beside its keywords there is `form`: what `pattern` asks for, in words. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const duration = (title: string, description: string, example: string): JsonSchema => ({
  type: 'string',
  format: 'duration',
  title,
  description: `${description} As ${DURATION_HELP}.`,
  examples: [example],
});

/** Keys that every task has, and that `default_args` may set for all. */
const TASK_OPTIONS = {
  retries: {
    type: 'integer',
    minimum: 0,
    maximum: 1000,
    title: 'Retries',
    description: 'How often a failed task is tried again. Default: 3.',
    examples: [3],
  },
  retry_delay: duration('Retry delay', 'The wait before the first retry. Default: 10s.', '10s'),
  retry_exponential_backoff: {
    type: ['boolean', 'number'],
    minimum: 1,
    maximum: 100,
    title: 'Retry backoff',
    description: 'Each wait is this many times the one before; true means 2, false means 1. Default: 2.',
    examples: [2],
  },
  max_retry_delay: duration('Longest retry delay', 'No wait between retries is longer. Default: 1h.', '1h'),
  execution_timeout: duration('Execution timeout', 'How long one attempt may take.', '2h'),
  heartbeat_timeout: duration(
    'Heartbeat timeout',
    'After this long without a sign of life from the worker the attempt counts as failed.',
    '15s',
  ),
  queue_timeout: duration('Queue timeout', 'How long the task may wait for a worker. Default: as long as it takes.', '1h'),
  queue: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$',
    form: 'letters, digits, _ . and -',
    title: 'Queue',
    description: 'The task queue of the workers that are to run this; default: those of the pipeline.',
    examples: ['gpu'],
  },
  priority: {
    type: 'integer',
    minimum: 1,
    maximum: 5,
    title: 'Priority',
    description: 'Among tasks that wait for the same workers, 1 goes first and 5 last. Default: 3.',
    examples: [1],
  },
} as const satisfies Record<string, JsonSchema>;

const TASK_COMMON = {
  depends_on: {
    type: 'array',
    items: { type: 'string' },
    uniqueItems: true,
    title: 'Depends on',
    description:
      'The tasks that this one waits for. Where no task of the file says so, tasks run in the listed order; where one does, a task without it starts at once.',
    examples: [['extract_sales']],
  },
  trigger_rule: {
    enum: TRIGGER_RULES,
    title: 'Trigger rule',
    description: "When the task starts, given how the tasks it depends on have ended; Airflow's values. Default: all_success.",
    examples: ['all_done'],
  },
  allow_failure: {
    type: 'boolean',
    title: 'Allow failure',
    description: 'The task may fail without failing the run. Default: false.',
    examples: [true],
  },
  ...TASK_OPTIONS,
} as const satisfies Record<string, JsonSchema>;

const text = (title: string, description: string, example: string): JsonSchema => ({
  type: 'string',
  title,
  description,
  examples: [example],
});

const TIME_ZONE = { ...text('Time zone', 'An IANA name. Default: UTC.', 'Europe/Berlin'), format: 'time-zone' };
const DATE = (title: string, description: string): JsonSchema => ({ ...text(title, description, '2024-01-01'), format: 'iso-date' });

/**
 * The JSON Schema of a pipeline file, assembled from the catalog of task types: for ajv, and for editors.
 * Tasks are discriminated on `type`, so that a mistake in a task is reported against its own type only.
 */
export function pipelineSchema(catalog: readonly TaskType[]): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice pipeline',
    type: 'object',
    additionalProperties: false,
    required: ['dag_id', 'tasks'],
    properties: {
      dag_id: {
        ...text('Pipeline id', 'Unique over all files; the workflow type in Temporal.', 'daily_product_sales_analysis'),
        pattern: '^[a-z][a-z0-9_]{0,127}$',
        form: 'small letters, digits and _, beginning with a letter, at most 128 characters',
      },
      description: text('Description', 'What the pipeline is for, in a sentence or two.', 'Sales by product, day by day'),
      owner: text('Owner', 'Who is asked when something is wrong.', 'data-platform'),
      tags: { type: 'array', items: { type: 'string' }, title: 'Tags', description: 'Words to find it by.', examples: [['sales']] },
      doc_md: text('Documentation', 'Longer documentation, in Markdown.', 'Loads the **sales** of a day.'),
      schedule_interval: {
        type: ['string', 'null'],
        title: 'Schedule',
        description: `When it runs: ${Object.keys(PRESETS).join(', ')}, five-field cron, a duration (15m), or null for by hand only. Short form of schedule.`,
        examples: ['@daily', '0 6 * * 1-5', '15m', null],
      },
      schedule: {
        type: 'object',
        additionalProperties: false,
        title: 'Schedule',
        description: 'When it runs; the long form of schedule_interval.',
        examples: [{ cron: '0 6 * * *', timezone: 'Europe/Berlin' }],
        properties: {
          cron: text('Cron', 'A cron expression of five fields.', '0 6 * * *'),
          every: duration('Every', 'The time between two runs, counted from 1970-01-01T00:00Z.', '15m'),
          timezone: TIME_ZONE,
          jitter: duration('Jitter', 'Runs start up to this much later, at random, to spread the load.', '5m'),
        },
      },
      start_date: DATE('Start date', 'No run before this day or time; in the time zone of the pipeline.'),
      end_date: DATE('End date', 'No run after this day or time; in the time zone of the pipeline.'),
      timezone: TIME_ZONE,
      catchup: {
        type: 'boolean',
        title: 'Catch-up',
        description: 'Whether intervals since start_date that never ran are run. This release carries out false (the default) only.',
        examples: [false],
      },
      dagrun_timeout: duration('Run timeout', 'A run that takes longer is ended as failed.', '2h'),
      default_args: {
        type: 'object',
        additionalProperties: false,
        title: 'Defaults',
        description: 'Keys that every task inherits where it does not set them itself.',
        examples: [{ retries: 2, retry_delay: '1m' }],
        properties: TASK_OPTIONS,
      },
      tasks: {
        type: 'array',
        minItems: 1,
        maxItems: 5000,
        title: 'Tasks',
        description: 'What the pipeline does, step by step.',
        items: {
          type: 'object',
          required: ['type'],
          discriminator: { propertyName: 'type' },
          oneOf: catalog.map(taskSchema),
        },
      },
    },
  };
}

function taskSchema(taskType: TaskType): JsonSchema {
  return {
    title: taskType.type,
    description: taskType.description,
    type: 'object',
    additionalProperties: false,
    required: ['name', 'type', ...(taskType.params.required ?? [])],
    properties: {
      name: {
        ...text('Name', 'Unique in its pipeline.', 'extract_sales'),
        pattern: '^[A-Za-z][A-Za-z0-9_]{0,127}$',
        form: 'letters, digits and _, beginning with a letter, at most 128 characters',
      },
      type: { const: taskType.type, title: 'Task type', description: taskType.description },
      ...TASK_COMMON,
      ...taskType.params.properties,
    },
  };
}

/** Which keys of a task are common to all types; the rest are the parameters of its type. */
export const COMMON_TASK_KEYS: ReadonlySet<string> = new Set(['name', 'type', ...Object.keys(TASK_COMMON)]);
