import { type CommonTaskKey, COMMON_TASK_KEYS as KEYS } from '../../workflows/plan/tasks/common-task-keys.ts';
import { TRIGGER_RULES } from '../../workflows/plan/tasks/trigger-rule.ts';
import { MAX_GROUP_DEPTH } from '../resolve/task-node.ts';
import { duration, expression, type JsonSchema, map, text } from './json-schema.ts';

/** Keys that every task has, and that `default_args` may set for all. */
export const TASK_OPTIONS = {
  owner: text('Owner', "Who is asked when this task is wrong; default: the pipeline's.", 'data-platform'),
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
  retry_policy: {
    type: 'array',
    title: 'Retry policy',
    description: 'Other rules for certain failures; the first that names the failure counts.',
    examples: [[{ on: 'QueryFailed', action: 'retry', delay: '5m' }]],
    items: map(
      'Retry rule',
      'What one type of failure leads to.',
      { on: 'DataDoesNotFit', action: 'fail' },
      {
        on: text('Failure', 'The type of the failure, as runs show it; execution_timeout and heartbeat_timeout for those.', 'QueryFailed'),
        action: {
          enum: ['retry', 'fail'],
          title: 'Action',
          description: 'Try again, even what is not tried again otherwise; or fail at once.',
          examples: ['retry'],
        },
        delay: duration('Delay', 'The wait before the next attempt.', '5m'),
      },
      ['on', 'action'],
    ),
  },
  execution_timeout: duration('Execution timeout', 'How long one attempt may take.', '2h'),
  heartbeat_timeout: duration(
    'Heartbeat timeout',
    'After this long without a sign of life from the worker the attempt counts as failed.',
    '15s',
  ),
  queue_timeout: duration('Queue timeout', 'How long the task may wait for a worker. Default: as long as it takes.', '1h'),
  queue: {
    ...text(
      'Queue',
      'The task queue of the workers that are to run this, one that SLUICE_QUEUES names; default: those of the pipeline.',
      'gpu',
    ),
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$',
    form: 'letters, digits, _ . and -',
  },
  priority: {
    type: 'integer',
    minimum: 1,
    maximum: 5,
    title: 'Priority',
    description: 'Among tasks that wait for the same workers, 1 goes first and 5 last. Default: 3.',
    examples: [1],
  },
  pool: {
    ...text('Pool', 'Named slots that all pipelines share: the task waits until one is free.', 'warehouse'),
    pattern: '^[a-z][a-z0-9_]{0,63}$',
    form: 'small letters, digits and _, beginning with a letter',
  },
  pool_slots: { type: 'integer', minimum: 1, title: 'Pool slots', description: 'How many slots it takes. Default: 1.', examples: [2] },
  hold_on_failure: duration(
    'Hold on failure',
    'Out of retries, the task waits this long for somebody to retry, skip or fail it by hand.',
    '4h',
  ),
  depends_on_past: {
    type: 'boolean',
    title: 'Depends on past',
    description:
      'The task starts only when it has succeeded, or was skipped, in the interval before, by the timetable of the pipeline. Default: false.',
    examples: [true],
  },
} as const satisfies Record<string, JsonSchema>;

/** What a group is called, as a pattern. */
export const GROUP_NAME = '[A-Za-z][A-Za-z0-9_]{0,63}';

const TASK_NAMES = { type: 'array', items: { type: 'string' }, uniqueItems: true } as const;

/** How items are taken from a list: what `expand` and the one `expand` inside it have in common. */
const EXPAND_OVER = {
  over: {
    type: ['string', 'array'],
    template: 'expression',
    title: 'Over',
    description: 'The list: written out, or an expression that gives one.',
    examples: ['params.regions', ['eu', 'us']],
  },
  as: {
    ...text('As', "The item's name in expressions. Default: item.", 'region'),
    pattern: '^[a-z][a-z0-9_]{0,63}$',
    form: 'small letters, digits and _, beginning with a letter',
  },
} as const;

/** Keys that every task has. */
export const TASK_COMMON = {
  depends_on: {
    ...TASK_NAMES,
    title: 'Depends on',
    description:
      'The tasks or groups that this one waits for. Where no task of the file says so, tasks run in the listed order; where one does, a task without it starts at once.',
    examples: [['extract_sales']],
  },
  trigger_rule: {
    enum: TRIGGER_RULES,
    title: 'Trigger rule',
    description: "When the task starts, given how the tasks it depends on have ended; Airflow's values. Default: all_success.",
    examples: ['all_done'],
  },
  group: {
    ...text('Group', 'The task group it belongs to; its full name is then group.task. A group in a group is `outer.inner`.', 'extract'),
    pattern: `^${GROUP_NAME}(?:\\.${GROUP_NAME}){0,${MAX_GROUP_DEPTH - 1}}$`,
    form: `letters, digits and _, beginning with a letter; groups in groups, at most ${MAX_GROUP_DEPTH}, with dots between them`,
  },
  when: expression('When', 'A condition; false skips the task.', 'params.full_load == true'),
  switch: map(
    'Switch',
    'A branch: when the task has ended, the tasks of the case that `on` gives go on, those of the others are skipped.',
    { on: 'params.mode', cases: { full: ['load_all'], delta: ['load_changes'] }, default: ['load_changes'] },
    {
      on: expression('On', 'What decides. Its value is compared with the cases as text.', 'params.mode'),
      cases: {
        type: 'object',
        minProperties: 1,
        additionalProperties: TASK_NAMES,
        title: 'Cases',
        description: 'The tasks that go on, by value.',
        examples: [{ full: ['load_all'] }],
      },
      default: { ...TASK_NAMES, title: 'Default', description: 'The tasks that go on for any other value.', examples: [['load_changes']] },
    },
    ['on', 'cases'],
  ),
  expand: map(
    'Expand',
    'Runs the task once for each item of a list; its output is the list of their outputs, in order.',
    { over: ['eu', 'us'], as: 'region' },
    {
      ...EXPAND_OVER,
      max_parallel: {
        type: 'integer',
        minimum: 1,
        maximum: 500,
        title: 'At once',
        description: 'How many run at the same time. Default: 16.',
        examples: [16],
      },
      batch_size: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        title: 'Batch size',
        description: 'How many items one activity works through, one after the other. Default: 1.',
        examples: [100],
      },
      on_item_failure: {
        enum: ['fail', 'finish', 'continue'],
        title: 'On failure of an item',
        description:
          'fail: begin no further item, and fail. finish: run all of them, and fail if one did. continue: succeed, with null in the output for those that failed; the run shows how many, and `sluice rerun` runs those alone. Default: fail.',
        examples: ['continue'],
      },
      expand: map(
        'Expand each',
        'For each item, once for each item of another list, such as a part of the item.',
        { over: 'region.shops', as: 'shop' },
        EXPAND_OVER,
        ['over'],
      ),
    },
    ['over'],
  ),
  allow_failure: {
    type: 'boolean',
    title: 'Allow failure',
    description: 'The task may fail without failing the run. Default: false.',
    examples: [true],
  },
  undoes: text(
    'Undoes',
    'In on_failure, on_success and finally: the task of `tasks` whose effect this one takes back. A rerun repeats what was undone.',
    'promote',
  ),
  latest_only: {
    type: 'boolean',
    title: 'Latest only',
    description:
      'In runs that the clock or a backfill starts, the task is skipped unless the interval of the run is the newest that is complete. Default: false.',
    examples: [true],
  },
  inputs: text('Inputs', 'The task whose data this one reads, where the nearest before it is not the one.', 'extract_orders'),
  outputs: {
    ...text(
      'Outputs',
      'Where this task writes its data, instead of the place that Sluice chooses; the interval is added.',
      's3://lake/orders',
    ),
    pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*/?$',
    form: 's3:// with a bucket and a prefix',
  },
  ...TASK_OPTIONS,
} as const satisfies Record<Exclude<CommonTaskKey, 'name' | 'type' | 'sla'>, JsonSchema>;

/** Which keys of a task are common to all types; the rest are the parameters of its type. */
export const COMMON_TASK_KEYS: ReadonlySet<string> = new Set(KEYS);
