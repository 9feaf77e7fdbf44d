import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';

/** A row as JSON: `lib/databases/postgres.ts` reads values in forms that JSON can represent. */
export function rowOf(row: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value as Json]));
}
