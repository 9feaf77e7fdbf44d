import { isMap, type Json } from '../values/json.ts';

/** Converts between a group of tasks and one value: the values of its tasks by name. */
interface Grouping<T> {
  /** @param group undefined, or a value that is not a group: no tasks yet */
  open(group: T | undefined): Readonly<Record<string, T>>;
  close(tasks: Record<string, T>): T;
}

/** Stores a task's value where expressions read it: `outputs.task`, `outputs.group.task`, `outputs.outer.inner.task`. */
export function putByName<T>(values: Record<string, T>, task: string, value: T, grouping: Grouping<T>): void {
  const [first = '', ...rest] = task.split('.');
  if (rest.length === 0) {
    values[first] = value;
    return;
  }
  const group = { ...grouping.open(values[first]) };
  putByName(group, rest.join('.'), value, grouping);
  values[first] = grouping.close(group);
}

const MAPS: Grouping<Json | undefined> = { open: (group) => (isMap(group) ? group : {}), close: (tasks) => tasks };

/** Stores a task's output where expressions read it. */
export function putOutput(outputs: Record<string, Json | undefined>, task: string, output: Json): void {
  putByName(outputs, task, output, MAPS);
}
