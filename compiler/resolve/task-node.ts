import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Path } from '../read/source.ts';
import { textOf } from '../read/values.ts';

/** The lists of tasks in a file. `tasks` includes the tasks of groups. */
export const TASK_LISTS = ['tasks', 'on_failure', 'on_success', 'finally'] as const;
export type TaskList = (typeof TASK_LISTS)[number];

/** Maximum nesting of groups. */
export const MAX_GROUP_DEPTH = 8;

/** The `default_args` of a file or group: default keys of tasks. */
export interface DefaultArgs {
  readonly keys: JsonObject;
  readonly path: Path;
}

/** A task with its position in the file. */
export interface TaskNode {
  /** Includes its groups: `outer.inner.task`. Undefined if it has no readable name. */
  readonly name: string | undefined;
  readonly type: string | undefined;
  /** As written; empty if it is not a map. */
  readonly keys: JsonObject;
  /** Inherited defaults, nearest first: from its group, the groups around it, and the file. */
  readonly defaults: readonly DefaultArgs[];
  readonly path: Path;
  readonly list: TaskList;
  /** The full name of its group: `outer.inner`. */
  readonly group?: string;
}

/** A task group that is declared with its own keys. */
export interface GroupNode {
  /** Its full name: `outer.inner`. */
  readonly name: string;
  /** The full name of the group that contains it. */
  readonly parent: string | undefined;
  readonly keys: JsonObject;
  readonly path: Path;
}

/** All tasks of a file, in the listed order: `tasks`, tasks of groups, then handlers. */
export function taskNodes(value: JsonObject): TaskNode[] {
  const declared = groupsIn(value, [], undefined);
  const ofFile = argsOf(value, []);
  const argsByGroup = new Map(declared.map((group) => [group.name, argsOf(group.keys, group.path)]));
  const defaultsOf = (group: string | undefined): DefaultArgs[] => [
    ...chainOf(group).flatMap((each) => argsByGroup.get(each) ?? []),
    ...ofFile,
  ];
  const known = new Map<string | undefined, DefaultArgs[]>();
  const node = (keys: JsonObject, path: Path, list: TaskList, declaredGroup?: string): TaskNode => {
    const group = declaredGroup ?? textOf(keys.group);
    const name = textOf(keys.name);
    // Only `tasks` have declared groups: handlers have none.
    const from = list === 'tasks' ? group : undefined;
    let defaults = known.get(from);
    if (!defaults) known.set(from, (defaults = defaultsOf(from)));
    return {
      name: name === undefined || group === undefined ? name : `${group}.${name}`,
      type: textOf(keys.type),
      keys,
      defaults,
      path,
      list,
      ...(group !== undefined && { group }),
    };
  };
  const inGroups = declared.flatMap(({ name, parent, keys, path }) =>
    elements(keys.tasks).map((task) => node(task.keys, [...path, 'tasks', task.index], 'tasks', name ?? parent)),
  );
  const [tasks = [], ...others] = TASK_LISTS.map((list) => elements(value[list]).map(({ keys, index }) => node(keys, [list, index], list)));
  return [...tasks, ...inGroups, ...others.flat()];
}

/** The groups declared under `task_groups`, outer groups first. */
export function groupNodes(value: JsonObject): GroupNode[] {
  return groupsIn(value, [], undefined).flatMap(({ name, ...group }) => (name === undefined ? [] : [{ name, ...group }]));
}

/** A group without a readable name still has tasks. */
type Declared = Omit<GroupNode, 'name'> & { readonly name: string | undefined };

function groupsIn({ task_groups: groups }: JsonObject, path: Path, parent: string | undefined): Declared[] {
  return elements(groups).flatMap(({ keys, index }) => {
    const own = textOf(keys.name);
    const name = own === undefined || parent === undefined ? own : `${parent}.${own}`;
    const group = { name, parent, keys, path: [...path, 'task_groups', index] };
    return [group, ...groupsIn(keys, group.path, name ?? parent)];
  });
}

/** All `default_args` of a file, including those of its groups. */
export function defaultArgs(value: JsonObject): DefaultArgs[] {
  return [...argsOf(value, []), ...groupNodes(value).flatMap(({ keys, path }) => argsOf(keys, path))];
}

/** The keys of a task, including inherited keys. The nearest takes precedence. */
export function withDefaults({ keys, defaults }: Pick<TaskNode, 'keys' | 'defaults'>): JsonObject {
  return Object.assign({}, ...defaults.map((each) => each.keys).toReversed(), keys) as JsonObject;
}

/** The path of a task's key: in the task, or in the nearest `default_args` that set it. */
export function placeOfKey({ keys, path, defaults }: TaskNode, key: string): Path {
  const from = keys[key] === undefined ? defaults.find((each) => each.keys[key] !== undefined) : undefined;
  return [...(from?.path ?? path), key];
}

/** A group and the groups around it, innermost first. */
export function chainOf(group: string | undefined): string[] {
  if (group === undefined) return [];
  const parts = group.split('.');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('.'));
}

/** The full name of the task or group that a name refers to. Inside a group, short names refer to its members first. */
export function fullName(given: string, group: string | undefined, isKnown: (name: string) => boolean): string | undefined {
  return [...chainOf(group).map((each) => `${each}.${given}`), given].find(isKnown);
}

function argsOf(keys: JsonObject, path: Path): DefaultArgs[] {
  return isMap(keys.default_args) ? [{ keys: keys.default_args, path: [...path, 'default_args'] }] : [];
}

function elements(value: Json | undefined): { keys: JsonObject; index: number }[] {
  return Array.isArray(value) ? value.map((keys: Json, index) => ({ keys: isMap(keys) ? keys : {}, index })) : [];
}
