import type { Json, JsonObject } from '../../workflows/plan/json.ts';

/** A row as JSON: times as ISO 8601, numbers that JSON cannot hold as text, bytes as base64. */
export function rowOf(row: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, jsonOf(value)]));
}

function jsonOf(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return JSON.parse(JSON.stringify(value)) as Json;
}
