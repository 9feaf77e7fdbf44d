import type { TSchema } from 'typebox';
import { isMap, type JsonObject } from '../workflows/plan/values/json.ts';

type Property = TSchema & { readonly formerly?: string };

/**
 * Keys under the names that they have now. A plan that an earlier release has made keeps the names of its time: what the schema says a key
 * was called (`formerly`) is read here, nested maps included.
 * @param schema of the map, as its definition wrote it
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
