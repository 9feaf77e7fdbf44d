import type { TaskType } from '../../activities/define-task.ts';
import type { TriggerType } from '../../sensors/define-trigger.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Path, Source } from '../read/source.ts';
import type { TaskNode } from './task-node.ts';

/**
 * Collects the keys of a file that this release cannot run yet, with their values. Each kind is one warning in `source`, at its first use.
 * A plan with such keys is checked and shown like any other, but not applied: nothing is silently ignored.
 */
export function collectNotYet(
  source: Source,
  value: JsonObject,
  nodes: readonly TaskNode[],
  types: ReadonlyMap<string, TaskType>,
  triggers: ReadonlyMap<string, TriggerType>,
): Readonly<Record<string, Json>> {
  const found: Record<string, Json> = {};
  const reported = new Set<string>();
  const note = (name: string, path: Path, part: Json | undefined, what: string): void => {
    if (part === undefined) return;
    found[name] = part;
    if (reported.has(what)) return;
    reported.add(what);
    source.reportKey(
      'SL901',
      path,
      `${what} is part of the pipeline language, but this release does not support it yet.`,
      'the pipeline is checked but not applied',
    );
  };
  for (const [index, trigger] of (Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : []).entries()) {
    if (!isMap(trigger)) continue;
    const type = triggers.get(String(trigger.type));
    const path = ['triggers', index];
    const name = `triggers.${String(trigger.name)}`;
    // An unknown trigger type is reported elsewhere as a mistake.
    if (type && !type.sensor) note(`${name}.type`, [...path, 'type'], trigger.type, `Trigger type '${String(trigger.type)}'`);
  }
  for (const { name, keys, type, path } of nodes) {
    for (const [key, values] of Object.entries(types.get(type ?? '')?.planned ?? {})) {
      if (values.includes(String(keys[key]))) note(`${name}.${key}`, [...path, key], keys[key], `'${key}: ${String(keys[key])}'`);
    }
    if (types.get(type ?? '')?.runtime === 'planned') note(`${name}.type`, [...path, 'type'], keys.type, `Task type '${type}'`);
  }
  return found;
}
