import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Defaults } from '../read/defaults.ts';
import type { Path, Source } from '../read/source.ts';
import { DEFAULT_KEYS } from '../schema/defaults-schema.ts';
import type { FillIn } from './fill-in.ts';

/** Task keys about intervals, which pipelines without a schedule do not have. */
const INTERVAL_ARGS: ReadonlySet<string> = new Set(['depends_on_past', 'latest_only']);

/**
 * Adds the keys that a file inherits from `defaults.yaml` files. Its own keys take precedence, then those of the nearest file. The keys of
 * `default_args` are inherited one by one, all others as a whole.
 * @param defaults the nearest first; their mistakes become mistakes of the file
 */
export function inheritDefaults(source: Source, value: JsonObject, defaults: readonly Defaults[], filledIn: FillIn[]): JsonObject {
  if (defaults.length === 0) return value;
  const hasSchedule = (value.schedule_interval ?? value.schedule ?? null) !== null;
  const all: Record<string, Json | undefined> = { ...value };
  const args: Record<string, Json | undefined> = isMap(value.default_args) ? { ...value.default_args } : {};
  const inherit = (into: Record<string, Json | undefined>, path: Path, part: Json, from: Source): void => {
    const key = String(path.at(-1));
    if (Object.hasOwn(into, key)) return;
    into[key] = part;
    source.inherit(path, from);
    filledIn.push({ what: path.join('.'), value: typeof part === 'string' ? part : JSON.stringify(part), why: from.file });
  };
  for (const { source: from, value: given } of defaults) {
    source.adopt(from);
    for (const [key, part = null] of Object.entries(given)) {
      if (!DEFAULT_KEYS.has(key)) continue;
      if (key !== 'default_args') inherit(all, [key], part, from);
      else if (isMap(part))
        for (const [arg, each = null] of Object.entries(part))
          if (hasSchedule || !INTERVAL_ARGS.has(arg)) inherit(args, [key, arg], each, from);
    }
  }
  const isMistake = value.default_args !== undefined && !isMap(value.default_args);
  return isMistake || Object.keys(args).length === 0 ? all : { ...all, default_args: args };
}
