import type { TSchema } from 'typebox';
import { isMap, type JsonObject } from '../workflows/plan/values/json.ts';

type Property = TSchema & { readonly formerly?: string };

/**
 * Converts keys to their current names, including nested maps. A plan of an earlier release keeps the old names, which the schema lists as
 * `formerly`.
 * @param schema of the map, from its definition
 */
export function withCurrentNames(schema: TSchema, given: JsonObject): JsonObject {
  const named: Record<string, JsonObject[string]> = { ...given };
  for (const [key, property] of Object.entries((schema as { properties?: Record<string, Property> }).properties ?? {})) {
    const { formerly } = property;
    const old = formerly === undefined ? undefined : named[formerly];
    if (formerly !== undefined && old !== undefined && !(key in named)) {
      named[key] = old;
      delete named[formerly];
    }
    const value = named[key];
    if (isMap(value)) named[key] = withCurrentNames(property, value);
  }
  return named;
}
