import { parseDuration } from '../workflows/plan/duration.ts';
import type { TemplatePlace } from '../workflows/plan/expressions/evaluator.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import type { OnInvalid, TriggerMode, TriggerPlan } from '../workflows/plan/trigger.ts';
import type { Source } from './source.ts';
import { isMap } from './task-node.ts';

/** Keys of a trigger that the plan has in words of its own. */
const COMMON: ReadonlySet<string> = new Set([
  'name',
  'type',
  'when',
  'params',
  'dedup_key',
  'max_in_flight',
  'mode',
  'on_invalid',
  'parallelism',
]);

/**
 * The triggers of a pipeline as they run.
 * @param templates where what they give to runs holds expressions, by place in the list
 */
export function resolveTriggers(
  source: Source,
  { triggers }: JsonObject,
  templates: ReadonlyMap<number, readonly TemplatePlace[]>,
): TriggerPlan[] {
  const places = new Map<Json | undefined, number>();
  return (Array.isArray(triggers) ? (triggers as readonly Json[]) : []).flatMap((keys, index) => {
    if (!isMap(keys)) return [];
    const first = places.get(keys.name);
    if (first !== undefined) {
      source.report('SL301', ['triggers', index, 'name'], `Two triggers are named '${String(keys.name)}'.`, 'give each its own name');
    }
    places.set(keys.name, index);
    return [triggerOf(keys, templates.get(index))];
  });
}

function triggerOf(keys: JsonObject, templates: readonly TemplatePlace[] | undefined): TriggerPlan {
  const { name, type, when, params, dedup_key: dedupKey, max_in_flight: maxInFlight, mode, on_invalid: onInvalid, parallelism } = keys;
  return {
    name: String(name),
    type: String(type),
    ...(typeof when === 'string' && { when }),
    ...(isMap(params) && { runParams: params }),
    ...(templates && { templates }),
    ...(typeof dedupKey === 'string' && { dedupKey }),
    ...(typeof maxInFlight === 'number' && { maxInFlight }),
    mode: modeOf(mode),
    onInvalid: (onInvalid ?? 'dead_letter') as OnInvalid,
    parallelism: typeof parallelism === 'number' ? parallelism : 1,
    source: Object.fromEntries(Object.entries(keys).filter(([key]) => !COMMON.has(key))),
  };
}

/** The others are refused when the pipeline is applied: see not-yet.ts. */
function modeOf(mode: Json | undefined): TriggerMode {
  if (isMap(mode) && typeof mode.cooldown === 'string') return { kind: 'cooldown', forMs: parseDuration(mode.cooldown) ?? 0 };
  return { kind: 'each' };
}
