import { type CommonTaskKey, COMMON_TASK_KEYS as KEYS } from '../../workflows/plan/tasks/common-task-keys.ts';
import { TRIGGER_RULES } from '../../workflows/plan/tasks/trigger-rule.ts';
import { MAX_GROUP_DEPTH } from '../resolve/task-node.ts';
import { duration, expression, type JsonSchema, map, text } from './json-schema.ts';

/** Keys of every task that `default_args` may also set. */
export const TASK_OPTIONS = {
  owner: text('Owner', 'Whom to contact about problems of this task; default: the owner of the pipeline.', 'data-platform'),
  retries: {
    type: 'integer',
    minimum: 0,
    maximum: 1000,
    title: 'Retries',
    description: 'Maximum number of retries of a failed task. Default: 3.',
    examples: [3],
  },
  retry_delay: duration('Retry delay', 'The wait before the first retry. Default: 10s.', '10s'),
  retry_exponential_backoff: {
    type: ['boolean', 'number'],
    minimum: 1,
    maximum: 100,
    title: 'Retry backoff',
    description: 'Factor by which the delay grows with each retry; true means 2, false means 1. Default: 2.',
    examples: [2],
  },
  max_retry_delay: duration('Longest retry delay', 'Upper limit for the delay between retries. Default: 1h.', '1h'),
  retry_policy: {
    type: 'array',
    title: 'Retry policy',
    description: 'Rules for specific failures; the first matching rule applies.',
    examples: [[{ on: 'QueryFailed', action: 'retry', delay: '5m' }]],
    items: map(
      'Retry rule',
      'How to handle one type of failure.',
      { on: 'DataDoesNotFit', action: 'fail' },
      {
        on: text('Failure', 'The type of the failure, as runs show it; execution_timeout and heartbeat_timeout for those.', 'QueryFailed'),
        action: {
          enum: ['retry', 'fail'],
          title: 'Action',
          description: 'Retry, even if this failure is not retried by default; or fail immediately.',
          examples: ['retry'],
        },
        delay: duration('Delay', 'The wait before the next attempt.', '5m'),
      },
      ['on', 'action'],
    ),
  },
  execution_timeout: duration('Execution timeout', 'Maximum duration of one attempt.', '2h'),
  heartbeat_timeout: duration('Heartbeat timeout', 'The attempt fails if the worker sends no heartbeat for this long.', '15s'),
  queue_timeout: duration('Queue timeout', 'How long the task may wait for a worker. Default: no limit.', '1h'),
  queue: {
    ...text('Queue', 'The task queue of the workers that run this task, one of SLUICE_QUEUES; default: the queue of the pipeline.', 'gpu'),
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
    form: 'lowercase letters, digits and _, starting with a letter',
  },
  pool_slots: {
    type: 'integer',
    minimum: 1,
    title: 'Pool slots',
    description: 'Number of slots that the task needs. Default: 1.',
    examples: [2],
  },
  hold_on_failure: duration(
    'Hold on failure',
    'After its last retry has failed, the task waits this long for an operator to retry, skip or fail it.',
    '4h',
  ),
  depends_on_past: {
    type: 'boolean',
    title: 'Depends on past',
    description: 'The task starts only if it succeeded, or was skipped, in the previous interval of the schedule. Default: false.',
    examples: [true],
  },
} as const satisfies Record<string, JsonSchema>;

/** The pattern of group names. */
export const GROUP_NAME = '[A-Za-z][A-Za-z0-9_]{0,63}';

const TASK_NAMES = { type: 'array', items: { type: 'string' }, uniqueItems: true } as const;

/** Keys that `expand` and its nested `expand` share. */
const EXPAND_OVER = {
  over: {
    type: ['string', 'array'],
    template: 'expression',
    gives: 'list',
    title: 'Over',
    description: 'The list, or an expression that returns one.',
    examples: ['params.regions', ['eu', 'us']],
  },
  as: {
    ...text('As', "The item's name in expressions. Default: item.", 'region'),
    pattern: '^[a-z][a-z0-9_]{0,63}$',
    form: 'lowercase letters, digits and _, starting with a letter',
  },
} as const;

/** Keys of every task. */
export const TASK_COMMON = {
  depends_on: {
    ...TASK_NAMES,
    title: 'Depends on',
    description:
      'The tasks or groups that this task waits for. If no task has depends_on, tasks run in the listed order; otherwise a task without it starts at once.',
    examples: [['extract_sales']],
  },
  trigger_rule: {
    enum: TRIGGER_RULES,
    title: 'Trigger rule',
    description: 'Which states of upstream tasks let this task start; the values are those of Airflow. Default: all_success.',
    examples: ['all_done'],
  },
  group: {
    ...text('Group', 'The group of the task; its full name is then group.task. A group in a group is `outer.inner`.', 'extract'),
    pattern: `^${GROUP_NAME}(?:\\.${GROUP_NAME}){0,${MAX_GROUP_DEPTH - 1}}$`,
    form: `letters, digits and _, starting with a letter; groups in groups, at most ${MAX_GROUP_DEPTH}, with dots between them`,
  },
  when: expression('When', 'A condition; false skips the task.', 'params.full_load == true', { gives: 'condition' }),
  switch: map(
    'Switch',
    'A branch: after this task, the tasks of the case that matches `on` run; the tasks of other cases are skipped.',
    { on: 'params.mode', cases: { full: ['load_all'], delta: ['load_changes'] }, default: ['load_changes'] },
    {
      on: expression('On', 'The expression that selects the case. Its value is compared as text.', 'params.mode', {
        gives: 'scalar',
        reads: 'own',
      }),
      cases: {
        type: 'object',
        minProperties: 1,
        additionalProperties: TASK_NAMES,
        title: 'Cases',
        description: 'The tasks to run, by value.',
        examples: [{ full: ['load_all'] }],
      },
      default: { ...TASK_NAMES, title: 'Default', description: 'The tasks to run for any other value.', examples: [['load_changes']] },
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
        description: 'Maximum number of items at the same time. Default: 16.',
        examples: [16],
      },
      batch_size: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        title: 'Batch size',
        description: 'Number of items that one activity processes in sequence. Default: 1.',
        examples: [100],
      },
      on_item_failure: {
        enum: ['fail', 'finish', 'continue'],
        title: 'On failure of an item',
        description:
          'fail: start no further items, and fail. finish: run all items, then fail if any failed. continue: succeed, with null in the output for failed items; the run shows how many failed, and `sluice rerun` repeats only those. Default: fail.',
        examples: ['continue'],
      },
      expand: map(
        'Expand each',
        'Runs the task once for each pair of an item and an item of another list, such as a part of the item.',
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
    'In on_failure, on_success and finally: the task of `tasks` whose effect this task undoes. A rerun repeats the undone task.',
    'promote',
  ),
  latest_only: {
    type: 'boolean',
    title: 'Latest only',
    description: 'In scheduled runs and backfills, the task is skipped unless the run has the newest complete interval. Default: false.',
    examples: [true],
  },
  inputs: text('Inputs', 'The task whose data this task reads; default: the nearest upstream task that produces data.', 'extract_orders'),
  outputs: {
    ...text('Outputs', 'The location to write data to, instead of the default; the interval is appended.', 's3://lake/orders'),
    pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*/?$',
    form: 's3:// with a bucket and a prefix',
  },
  ...TASK_OPTIONS,
} as const satisfies Record<Exclude<CommonTaskKey, 'name' | 'type' | 'sla'>, JsonSchema>;

/** Keys that all task types share. The other keys of a task are the parameters of its type. */
export const COMMON_TASK_KEYS: ReadonlySet<string> = new Set(KEYS);
