import { isMap, type Json, type JsonObject } from '../workflows/plan/json.ts';
import type { Path } from './source.ts';

/** The lists of tasks that a file can have. `tasks` holds those of the groups too. */
export const TASK_LISTS = ['tasks', 'on_failure', 'on_success', 'finally'] as const;
export type TaskList = (typeof TASK_LISTS)[number];

/** A task where it stands in a file. */
export interface TaskNode {
  /** With its group: `group.task`. A task without a readable name has none. */
  readonly name: string | undefined;
  readonly type: string | undefined;
  /** As it is written; not a map: empty. */
  readonly keys: JsonObject;
  readonly path: Path;
  readonly list: TaskList;
  readonly group?: string;
}

/** A task group, where it is declared with keys of its own. */
export interface GroupNode {
  readonly name: string;
  readonly keys: JsonObject;
  readonly path: Path;
}

/** Every task of a file, in the listed order: `tasks`, the groups' tasks, then those that follow the run's end. */
export function taskNodes(value: JsonObject): TaskNode[] {
  const groups = elements(value.task_groups).flatMap(({ keys, index }) =>
    elements(keys.tasks).map((task) => node(task.keys, ['task_groups', index, 'tasks', task.index], 'tasks', textOf(keys.name))),
  );
  const [tasks = [], ...others] = TASK_LISTS.map((list) => elements(value[list]).map(({ keys, index }) => node(keys, [list, index], list)));
  return [...tasks, ...groups, ...others.flat()];
}

/** The groups that are declared under `task_groups`. */
export function groupNodes(value: JsonObject): GroupNode[] {
  return elements(value.task_groups).flatMap(({ keys, index }) => {
    const name = textOf(keys.name);
    return name === undefined ? [] : [{ name, keys, path: ['task_groups', index] }];
  });
}

/** The task that a name means where it is written: inside a group its own tasks go by their short names. */
export function fullName(given: string, group: string | undefined, isTask: (name: string) => boolean): string | undefined {
  return [group === undefined ? given : `${group}.${given}`, given].find(isTask);
}

function node(keys: JsonObject, path: Path, list: TaskList, declaredGroup?: string): TaskNode {
  const group = declaredGroup ?? textOf(keys.group);
  const name = textOf(keys.name);
  return {
    name: name === undefined || group === undefined ? name : `${group}.${name}`,
    type: textOf(keys.type),
    keys,
    path,
    list,
    ...(group !== undefined && { group }),
  };
}

function elements(value: Json | undefined): { keys: JsonObject; index: number }[] {
  return Array.isArray(value) ? value.map((keys: Json, index) => ({ keys: isMap(keys) ? keys : {}, index })) : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
