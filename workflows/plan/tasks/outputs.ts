import { isMap, type Json } from '../values/json.ts';

/** Puts what a task has given where expressions read it: `outputs.task`, `outputs.group.task`, `outputs.outer.inner.task`. */
export function putOutput(outputs: Record<string, Json | undefined>, task: string, output: Json): void {
  const [first = '', ...rest] = task.split('.');
  if (rest.length === 0) {
    outputs[first] = output;
    return;
  }
  const before = outputs[first];
  const group: Record<string, Json | undefined> = { ...(isMap(before) && before) };
  putOutput(group, rest.join('.'), output);
  outputs[first] = group;
}
