import type { DefinitionKind } from './definitions.ts';

/** How to recognize a definition of each kind, and how to write one. Checks properties: the class or module may be another copy. */
const KINDS: Readonly<Record<DefinitionKind, { readonly title: string; readonly define: string; readonly properties: readonly string[] }>> =
  {
    tasks: { title: 'task type', define: 'defineTask', properties: ['type', 'params', 'result', 'run'] },
    connections: { title: 'connection type', define: 'defineConnection', properties: ['type', 'fields', 'schemes', 'read', 'check'] },
    triggers: { title: 'trigger type', define: 'defineTrigger', properties: ['type', 'params', 'event'] },
    channels: { title: 'channel', define: 'defineChannel', properties: ['name', 'connection', 'sendNotice', 'sendMessage'] },
    resources: { title: 'resource type', define: 'defineResource', properties: ['type', 'params', 'fields', 'open'] },
  };

/** The folders of a project with definitions. */
export const DEFINITION_KINDS = Object.keys(KINDS) as readonly DefinitionKind[];

/** A phrase for messages: `task type`. */
export function kindTitle(kind: DefinitionKind): string {
  return KINDS[kind].title;
}

/** The name by which pipelines use a definition. */
export function nameOf(definition: { readonly type?: string; readonly name?: unknown }): string {
  return definition.type ?? (typeof definition.name === 'string' ? definition.name : '');
}

/** The format of names: they become YAML values and, for tasks and triggers, names of Temporal activities. */
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
/** A worker has an activity for each version of a task type. */
const MAX_VERSION = 999;
/** Names of Temporal activities that workers have beside task types. Sensors have `<trigger type>_sensor` and `<trigger type>_sensor_reset`. */
export const RESERVED_TASK_TYPES: ReadonlySet<string> = new Set([
  'check_activities',
  'connection_fields',
  // The SDK calls it for every activity that a worker does not know.
  'default',
  'earlier_run',
  'ended_runs',
  'failure_facts',
  'interval_states',
  'past_of_task',
  'request_slots',
]);

/**
 * Checks that a value is a definition of a kind.
 * @param value what a file or a plugin exports
 * @returns why not, and what to do, as the end of a sentence that begins with the origin of the value; undefined if it is
 */
export function whyNotDefinition(kind: DefinitionKind, value: unknown): string | undefined {
  const { title, define } = KINDS[kind];
  if (!isKind(kind, value)) {
    const other = DEFINITION_KINDS.find((each) => isKind(each, value));
    if (other !== undefined) return `is a ${KINDS[other].title}, not a ${title}. Move it to ${other}.`;
    return `is not a ${title}, but ${described(value)}. Write \`${define}({ … })\`, with ${define} from 'sluice'.`;
  }
  const name = nameOf(value as { type?: string; name?: string });
  if (kind === 'tasks' && (RESERVED_TASK_TYPES.has(name) || /_sensor(_reset)?$/.test(name)))
    return `is a task type called '${name}', a name that Sluice uses itself. Rename it.`;
  const { version = 1 } = value as { version?: unknown };
  if (kind === 'tasks' && !(Number.isInteger(version) && Number(version) >= 1 && Number(version) <= MAX_VERSION))
    return `is a task type with the version ${JSON.stringify(version)}. Write a whole number from 1 to ${MAX_VERSION}.`;
  if (NAME.test(name)) return undefined;
  return `is a ${title} called '${name}'. Use lowercase letters, digits and _, starting with a letter, up to 64 characters.`;
}

function isKind(kind: DefinitionKind, value: unknown): boolean {
  return typeof value === 'object' && value !== null && KINDS[kind].properties.every((name) => name in value);
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? `an object with the keys ${Object.keys(value).join(', ') || '(none)'}` : `a ${typeof value}`;
}
