import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { TemplatePlace } from '../../workflows/plan/expressions/template-place.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import {
  type Aggregate,
  AGGREGATE_SHAPES,
  type OnInvalid,
  type TriggerMode,
  type TriggerPlan,
  type WindowMode,
} from '../../workflows/plan/trigger.ts';
import type { Path, Source } from '../read/source.ts';
import { durationOf } from '../read/values.ts';

/** Keys of a trigger that have their own fields in the plan. */
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
 * Resolves the triggers of a pipeline.
 * @param templates the locations of expressions in the parameters that they pass to runs, by position
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
      source.report('SL301', ['triggers', index, 'name'], `Two triggers are named '${String(keys.name)}'.`, 'give each a different name');
    }
    places.set(keys.name, index);
    checkWindow(source, keys.mode, ['triggers', index, 'mode', 'window']);
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
    // A window's aggregates must be computed in one place.
    parallelism: typeof parallelism === 'number' && !(isMap(mode) && isMap(mode.window)) ? parallelism : 1,
    source: Object.fromEntries(Object.entries(keys).filter(([key]) => !COMMON.has(key))),
  };
}

function modeOf(mode: Json | undefined): TriggerMode {
  if (!isMap(mode)) return { kind: 'each' };
  if (typeof mode.cooldown === 'string') return { kind: 'cooldown', forMs: parseDuration(mode.cooldown) ?? 0 };
  const { batch, window } = mode;
  if (isMap(batch)) return { kind: 'batch', maxRecords: Number(batch.max_records), withinMs: durationOf(batch.within) ?? 0 };
  return isMap(window) ? windowOf(window) : { kind: 'each' };
}

function windowOf({ size, slide, lateness, key, aggregates, having, keys_per_run: keysPerRun }: JsonObject): WindowMode {
  const sizeMs = durationOf(size) ?? 0;
  return {
    kind: 'window',
    sizeMs,
    slideMs: durationOf(slide) ?? sizeMs,
    latenessMs: durationOf(lateness) ?? 0,
    ...(typeof key === 'string' && { key }),
    aggregates: Object.fromEntries(
      Object.entries(isMap(aggregates) ? aggregates : {}).flatMap(([name, text]) => {
        const aggregate = aggregateOf(text);
        return aggregate ? [[name, aggregate]] : [];
      }),
    ),
    ...(typeof having === 'string' && { having }),
    ...(typeof keysPerRun === 'number' && { keysPerRun }),
  };
}

/** Parses `count()`, or another aggregate of an expression. */
export function aggregateOf(text: Json | undefined): Aggregate | undefined {
  const [, kind = '', of = ''] = /^\s*([a-z]+)\s*\((.*)\)\s*$/s.exec(typeof text === 'string' ? text : '') ?? [];
  const found = isAggregate(kind) ? kind : undefined;
  if (!found || (found === 'count') !== (of.trim() === '')) return undefined;
  return found === 'count' ? { kind: found } : { kind: found, of: of.trim() };
}

function isAggregate(kind: string): kind is Aggregate['kind'] {
  return Object.hasOwn(AGGREGATE_SHAPES, kind);
}

function checkWindow(source: Source, mode: Json | undefined, path: Path): void {
  const window = isMap(mode) ? mode.window : undefined;
  if (!isMap(window)) return;
  const { size, slide, key, keys_per_run: keysPerRun, aggregates } = window;
  const [sizeMs, slideMs] = [durationOf(size), durationOf(slide)];
  if (sizeMs !== undefined && slideMs !== undefined && slideMs > sizeMs) {
    source.report(
      'SL206',
      [...path, 'slide'],
      '`slide` is longer than `size`: events between windows would be lost.',
      'make it at most as long as size',
    );
  }
  if (keysPerRun !== undefined && key === undefined) {
    source.reportKey('SL202', [...path, 'keys_per_run'], '`keys_per_run` needs `key`.', 'add key, or remove keys_per_run');
  }
  for (const [name, text] of Object.entries(isMap(aggregates) ? aggregates : {})) {
    if (aggregateOf(text)) continue;
    source.report(
      'SL205',
      [...path, 'aggregates', name],
      `'${String(text)}' is not an aggregate.`,
      'write count(), or sum, min, max or avg of an expression: sum(event.price)',
    );
  }
}
