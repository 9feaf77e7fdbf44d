import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';

/** Generates a value that matches a JSON Schema: the output of a task in a test that does not declare one. */
export function sampleOutput(schema: unknown): Json {
  const { type, properties, anyOf, enum: allowed, const: only, items } = (schema ?? {}) as JsonObject & { anyOf?: readonly unknown[] };
  if (only !== undefined) return only;
  if (Array.isArray(allowed)) return (allowed[0] as Json | undefined) ?? null;
  if (anyOf) return sampleOutput(anyOf[0]);
  switch (type) {
    case 'string':
      return 'sample';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [sampleOutput(items)];
    case 'object':
      return Object.fromEntries(Object.entries((properties ?? {}) as JsonObject).map(([key, property]) => [key, sampleOutput(property)]));
    default:
      return null;
  }
}
