import type { Json, JsonObject } from './json.ts';

/** The fields of a form (JSON Schema of an object), on one line: `reason (string, required), rows (integer)`. */
export function formText({ properties, required }: JsonObject): string {
  const needed = Array.isArray(required) ? (required as Json[]) : [];
  return Object.entries((properties ?? {}) as JsonObject)
    .map(
      ([name, schema]) =>
        `${name} (${[String((schema as JsonObject).type ?? 'any'), ...(needed.includes(name) ? ['required'] : [])].join(', ')})`,
    )
    .join(', ');
}
