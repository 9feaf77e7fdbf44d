import { isMap, type Json } from '../values/json.ts';

/** How a group of tasks is one value: the values of its tasks by name, and back. */
interface Grouping<T> {
  /** @param group undefined, or whatever stands in its place: no tasks yet */
  open(group: T | undefined): Readonly<Record<string, T>>;
  close(tasks: Record<string, T>): T;
}

/** Puts what belongs to a task where expressions read it: `outputs.task`, `outputs.group.task`, `outputs.outer.inner.task`. */
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

/** Puts the output of a task where expressions read it. */
export function putOutput(outputs: Record<string, Json | undefined>, task: string, output: Json): void {
  putByName(outputs, task, output, MAPS);
}
