import type { TaskType } from '../../activities/define-task.ts';
import type { TriggerType } from '../../sensors/define-trigger.ts';
import type { ChannelDefinition } from '../../channels/define-channel.ts';
import { ANCHOR_KEY } from '../read/parse.ts';
import { alertsSchema } from './alerts-schema.ts';
import { byType, type JsonSchema, map, text } from './json-schema.ts';
import { CALENDAR, SCHEDULE_KEYS } from './schedule-keys.ts';
import { SlaListSchema } from './sla-schema.ts';
import { GROUP_NAME, TASK_COMMON, TASK_OPTIONS } from './task-keys.ts';
import { VALUE_SCHEMA } from './value-schema.ts';

/** The available types of tasks, triggers and channels. */
export interface Catalogs {
  readonly tasks: readonly TaskType[];
  readonly triggers: readonly TriggerType[];
  readonly channels: readonly ChannelDefinition[];
}

/** Keys of every task. Each is a separate definition, so that editor schemas and ajv's generated code contain it once. */
const TASK_KEYS: Readonly<Record<string, JsonSchema>> = {
  name: {
    ...text('Name', 'Unique in its pipeline.', 'extract_sales'),
    pattern: '^[A-Za-z][A-Za-z0-9_]{0,127}$',
    form: 'letters, digits and _, starting with a letter, at most 128 characters',
  },
  ...TASK_COMMON,
  sla: { $ref: '#/definitions/sla' },
};

/** Keys about the pipeline as a whole, without tasks, triggers or definitions. */
export const FILE_KEYS: Readonly<Record<string, JsonSchema>> = {
  description: {
    ...text('Description', 'The purpose of the pipeline, in a sentence or two.', 'Sales by product, day by day'),
    template: 'prose',
  },
  owner: text('Owner', 'Whom to contact about problems.', 'data-platform'),
  tags: { type: 'array', items: { type: 'string' }, title: 'Tags', description: 'Keywords for searching.', examples: [['sales']] },
  doc_md: { ...text('Documentation', 'Longer documentation, in Markdown.', 'Loads the **sales** of a day.'), template: 'prose' },
  ...SCHEDULE_KEYS,
};

const TASK = { $ref: '#/definitions/task' };
const DATASETS = { type: 'array', items: { type: 'string', format: 'uri' }, uniqueItems: true } as const;

/** The lists of tasks in a file, with their descriptions. */
const TASK_LISTS = {
  tasks: {
    type: 'array',
    minItems: 1,
    maxItems: 5000,
    items: TASK,
    title: 'Tasks',
    description: 'What the pipeline does, step by step.',
    examples: [[{ name: 'extract_sales', type: 'postgres_to_s3', source_table: 'sales', s3_bucket: 'raw-data' }]],
  },
  on_failure: { ...taskList('On failure', 'Tasks that run after the run has failed, before finally.') },
  on_success: { ...taskList('On success', 'Tasks that run after all tasks succeeded, before finally.') },
  finally: { ...taskList('Finally', 'Tasks that always run at the end, even if the run failed or was cancelled.') },
} satisfies Record<string, JsonSchema>;

const GROUP = { $ref: '#/definitions/group' };

/** A group, including nested groups. */
const GROUP_SCHEMA: JsonSchema = map(
  'Task group',
  'Tasks that form a group; their full names are group.task.',
  { name: 'load', tasks: [{ name: 'sales', type: 'empty' }] },
  {
    name: {
      ...text('Name', 'Unique among the tasks and groups of the same list.', 'load'),
      pattern: `^${GROUP_NAME}$`,
      form: 'letters, digits and _, starting with a letter',
    },
    depends_on: TASK_COMMON.depends_on,
    default_args: defaultArgs('Default keys for the tasks of the group; a task, or a group inside of this one, can override them.'),
    tasks: { ...TASK_LISTS.tasks, description: 'The tasks of the group.' },
    task_groups: {
      type: 'array',
      minItems: 1,
      items: GROUP,
      title: 'Task groups',
      description: 'The groups inside of this one; the full names of their tasks are outer.inner.task.',
      examples: [[{ name: 'checks', tasks: [{ name: 'sales', type: 'empty' }] }]],
    },
  },
  ['name'],
);

/**
 * The JSON Schema of a pipeline file, built from the catalogs, for ajv and editors. The schema of a task is selected by `type`
 * (`definitions/task_<type>`), so that mistakes in a task are reported against its own type only.
 */
export function pipelineSchema({ tasks, triggers, channels }: Catalogs): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice pipeline',
    description: 'A pipeline: what runs, when, on which data.',
    type: 'object',
    additionalProperties: false,
    patternProperties: {
      [ANCHOR_KEY.source]: { title: 'Anchors', description: 'Holds anchors for aliases and merges; ignored otherwise.' },
    },
    required: ['dag_id', 'tasks'],
    properties: {
      dag_id: {
        ...text('Pipeline id', 'Unique over all files; the workflow type in Temporal.', 'daily_product_sales_analysis'),
        pattern: '^[a-z][a-z0-9_]{0,127}$',
        form: 'lowercase letters, digits and _, starting with a letter, at most 128 characters',
      },
      ...FILE_KEYS,
      execution: {
        enum: ['graph'],
        title: 'Execution',
        description: 'graph: suppresses the warning that tasks without depends_on start at once.',
        examples: ['graph'],
      },
      params: {
        type: 'object',
        propertyNames: { pattern: '^[a-z][a-z0-9_]{0,63}$' },
        additionalProperties: {
          anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, { $ref: '#/definitions/value' }],
          title: 'Parameter',
          description: 'A default, or a schema with a default.',
        },
        title: 'Parameters',
        description: 'Parameters of a run, by name: a default value, or a schema with a default. Expressions read them as params.name.',
        examples: [{ region: 'eu', days: { type: 'integer', minimum: 1, default: 7 } }],
      },
      default_args: defaultArgs('Default keys for all tasks; a task can override them.'),
      triggers: {
        type: 'array',
        items: { $ref: '#/definitions/trigger' },
        title: 'Triggers',
        description: 'Events that start runs.',
        examples: [[{ name: 'user_behavior_change', type: 'kafka', topic: 'user-behavior-metrics' }]],
      },
      sla: { $ref: '#/definitions/sla' },
      alerts: alertsSchema(channels),
      critical: {
        type: 'boolean',
        title: 'Critical',
        description: 'Page when a run fails: short for alerts with the default PagerDuty connection.',
        examples: [true],
      },
      inlets: { ...DATASETS, title: 'Inlets', description: 'The datasets that the pipeline reads.', examples: [['s3://raw-data/sales']] },
      outlets: {
        ...DATASETS,
        title: 'Outlets',
        description: 'The datasets that the pipeline produces; they can trigger other pipelines.',
        examples: [['s3://warehouse/sales']],
      },
      ...TASK_LISTS,
      task_groups: {
        type: 'array',
        title: 'Task groups',
        description: 'Groups of tasks; other tasks can depend on a group.',
        examples: [[{ name: 'load', tasks: [{ name: 'sales', type: 'empty' }] }]],
        items: GROUP,
      },
    },
    definitions: {
      value: VALUE_SCHEMA,
      sla: SlaListSchema,
      calendar: CALENDAR,
      ...Object.fromEntries(Object.entries(TASK_KEYS).map(([key, schema]) => [`task_key_${key}`, schema])),
      group: GROUP_SCHEMA,
      task: byType(
        'Task type',
        'What the task does.',
        tasks.map(({ type }) => ({ type, definition: `task_${type}` })),
      ),
      trigger: byType(
        'Kind of trigger',
        'What starts runs.',
        triggers.map(({ type }) => ({ type, definition: `trigger_${type}` })),
      ),
      ...Object.fromEntries(tasks.map((taskType) => [`task_${taskType.type}`, taskSchema(taskType)])),
      ...Object.fromEntries(triggers.map((trigger) => [`trigger_${trigger.type}`, triggerSchema(trigger)])),
    },
  };
}

function taskList(title: string, description: string): JsonSchema {
  return {
    type: 'array',
    minItems: 1,
    items: TASK,
    title,
    description,
    examples: [[{ name: 'tell_the_team', type: 'notify', to: 'slack', message: '{{ dag_id }}: {{ ds }}' }]],
  };
}

function defaultArgs(description: string): JsonSchema {
  return map('Defaults', description, { retries: 2, retry_delay: '1m' }, Object.fromEntries(Object.keys(TASK_OPTIONS).map(taskKey)));
}

/** A reference to a key that every task has. */
function taskKey(key: string): [string, JsonSchema] {
  return [key, { $ref: `#/definitions/task_key_${key}` }];
}

function taskSchema({ type, description, params, example }: TaskType): JsonSchema {
  return {
    title: type,
    description,
    type: 'object',
    additionalProperties: false,
    required: ['name', 'type', ...(params.required ?? [])],
    examples: [example],
    properties: {
      type: { const: type, title: 'Task type', description },
      ...Object.fromEntries(Object.keys(TASK_KEYS).map(taskKey)),
      ...params.properties,
    },
  };
}

function triggerSchema({ type, description, params, example }: TriggerType): JsonSchema {
  return {
    title: type,
    description,
    type: 'object',
    additionalProperties: false,
    required: ['name', 'type', ...(params.required ?? []).filter((key) => key !== 'name' && key !== 'type')],
    examples: [example],
    properties: {
      name: {
        ...text('Name', 'Unique among the triggers of its pipeline.', 'user_behavior_change'),
        pattern: '^[a-z][a-z0-9_]{0,63}$',
        form: 'lowercase letters, digits and _, starting with a letter',
      },
      type: { const: type, title: 'Kind of trigger', description },
      ...params.properties,
    },
  };
}
