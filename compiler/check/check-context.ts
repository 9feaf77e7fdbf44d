import type { TaskType } from '../../activities/define-task.ts';
import { typeName } from '../../connections/catalog.ts';
import type { ChannelDefinition } from '../../channels/define-channel.ts';
import { alertsSchema } from '../schema/alerts-schema.ts';
import type { TriggerType } from '../../sensors/define-trigger.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { propertyOf } from '../expressions/find-templates.ts';
import type { Path, Source } from '../read/source.ts';
import type { KnownConnections } from './known-connections.ts';
import { defaultArgs, type TaskNode } from '../resolve/task-node.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { checkPolicy, impliedConnections, type Policy } from './check-policy.ts';

/** What is known about the installation that pipelines are compiled for. */
export interface Context {
  /** The names of the defined connections; absent: unknown. */
  readonly connections?: ReadonlySet<string>;
  /** The types of connections whose definitions can be read, by name. */
  readonly connectionTypes?: ReadonlyMap<string, string>;
  /** The allowed values of `queue:`; absent: any. */
  readonly queues?: ReadonlySet<string>;
  /** What pipelines may use, by folder; absent: everything. */
  readonly policy?: Policy;
}

interface File {
  /** The file's path relative to the project's root; absent: unknown. */
  readonly place?: string;
  /** Absent when the file has mistakes. */
  readonly plan?: Plan | undefined;
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly nodes: readonly TaskNode[];
}

/** The task and trigger types of the compiler, by name. */
interface Definitions {
  readonly tasks: ReadonlyMap<string, TaskType>;
  readonly triggers: ReadonlyMap<string, TriggerType>;
  readonly channels: readonly ChannelDefinition[];
}

/**
 * Warns of unknown connections and datasets: neither the files nor the installation define them. Refuses queues, and what the policy does
 * not allow.
 */
export function checkContext(
  files: readonly File[],
  { tasks, triggers, channels }: Definitions,
  { connections, queues, policy }: Context,
  known: KnownConnections,
): void {
  // Most files have no alerts.
  let alerts: ReturnType<typeof alertsSchema> | undefined;
  const made = new Set(files.flatMap(({ value }) => listOf(value?.outlets)).filter((uri) => typeof uri === 'string'));
  for (const file of files) file.source.isolate(() => check(file));

  function check({ source, value, nodes, place, plan }: File): void {
    const named = [
      ...nodes.flatMap(({ keys, path, type }) => {
        const taskType = tasks.get(type ?? '');
        return [...findConnections(keys, taskType?.params, path, taskType?.connectionTypes), ...defaultConnections(keys, path, taskType)];
      }),
      ...(value?.alerts === undefined ? [] : findConnections(value.alerts, (alerts ??= alertsSchema(channels)), ['alerts'])),
    ];
    for (const [index, trigger] of listOf(value?.triggers).entries()) {
      if (!isMap(trigger)) continue;
      named.push(...findConnections(trigger, triggers.get(String(trigger.type))?.params, ['triggers', index]));
      if (trigger.type !== 'dataset') continue;
      for (const key of ['all', 'any'])
        for (const [position, uri] of listOf(trigger[key]).entries()) checkDataset(source, uri, ['triggers', index, key, position], made);
    }
    for (const [index, sla] of listOf(value?.sla).entries())
      if (isMap(sla) && sla.dataset !== undefined) checkDataset(source, sla.dataset, ['sla', index, 'dataset'], made);
    if (queues) checkQueues(source, value, nodes, queues);
    if (policy && value && place !== undefined) {
      const used = [...named, ...impliedConnections(value, nodes, triggers)];
      checkPolicy(source, { place, value, nodes, connections: used, readByExpressions: plan?.connections ?? [] }, policy);
    }
    for (const each of named) {
      if (connections && !each.isDefault) checkConnection(source, each, connections);
      checkConnectionType(source, each, known.typeOf(each.name));
    }
  }
}

function checkConnection(source: Source, { name, path }: NamedConnection, connections: ReadonlySet<string>): void {
  if (connections.has(name)) return;
  source.report(
    'SL406',
    path,
    `Connection '${name}' is not defined on this machine.`,
    didYouMean(name, connections) ?? `define SLUICE_CONN_${name.toUpperCase()} where the workers run`,
  );
}

/** Refuses unknown queues: workers of another queue may have other connections, programs and permissions. */
function checkQueues(source: Source, value: File['value'], nodes: File['nodes'], queues: ReadonlySet<string>): void {
  for (const { keys, path } of [...(value ? defaultArgs(value) : []), ...nodes]) {
    const { queue } = keys;
    if (typeof queue !== 'string' || queues.has(queue)) continue;
    source.report(
      'SL311',
      [...path, 'queue'],
      `Queue '${queue}' is not allowed here; allowed: ${[...queues].join(', ')}.`,
      didYouMean(queue, queues) ?? 'to allow it, add it to SLUICE_QUEUES of the scheduler',
    );
  }
}

interface NamedConnection {
  readonly name: string;
  readonly path: Path;
  /** The allowed connection types; empty: unknown. */
  readonly types: readonly unknown[];
  /** Whether the file omits it and the task type's default applies. */
  readonly isDefault?: true;
}

/** Finds the names of connections in `value` according to its schema. */
function findConnections(
  value: Json | undefined,
  schema: unknown,
  path: Path,
  typesBeside?: TaskType['connectionTypes'],
  siblings: JsonObject = {},
): NamedConnection[] {
  if (typeof value === 'string') {
    if (!isMap(schema) || !Array.isArray(schema.connection)) return [];
    const types = schema.connection as readonly unknown[];
    return [{ name: value, path, types: types.length > 0 ? types : (typesBeside?.(siblings) ?? []).map(typeName) }];
  }
  if (!isMap(value) || !isMap(schema)) return [];
  return Object.entries(value).flatMap(([key, part]) => findConnections(part, propertyOf(schema, key), [...path, key], typesBeside, value));
}

/** The default connections of a task that does not name any. */
function defaultConnections(keys: JsonObject, path: Path, taskType: TaskType | undefined): NamedConnection[] {
  return Object.values(taskType?.connections ?? {}).flatMap(({ key, default: name, types }) =>
    name === undefined || keys[key] !== undefined
      ? []
      : [{ name, path: [...path, 'type'], types: types.map(typeName), isDefault: true as const }],
  );
}

/** @param type of the connection; undefined: unknown */
function checkConnectionType(source: Source, { name, path, types, isDefault }: NamedConnection, type: string | undefined): void {
  if (type === undefined || types.length === 0 || types.includes(type)) return;
  const key = isDefault ? 'this task' : `'${String(path.at(-1))}'`;
  source.report(
    'SL408',
    path,
    `Connection '${name}' is of type ${type}; ${key} needs ${types.join(' or ')}.`,
    isDefault
      ? 'name another connection in the task'
      : types.length === 1
        ? `name a connection of type ${String(types[0])}, such as ${String(types[0])}_default`
        : 'name a connection of one of these types',
  );
}

function checkDataset(source: Source, uri: Json, path: Path, made: ReadonlySet<Json>): void {
  if (typeof uri !== 'string' || made.has(uri)) return;
  source.report(
    'SL405',
    path,
    `No pipeline produces the dataset '${uri}'.`,
    didYouMean(uri, [...made].map(String)) ?? 'list it in the outlets of the pipeline that produces it',
  );
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
