/** Values that travel through Temporal as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * A number that JavaScript's would change, such as 9007199254740993 or 1e400: its text, as its source has written it. Wire data. exact-json.ts
 * reads and writes it; everything that computes with it makes a `Decimal` of it.
 */
export interface ExactNumber extends JsonObject {
  readonly $number: string;
}

/** A number as JSON writes it. Digits are matched once, and never again from another place: its time is linear. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether a text is a number as JSON writes it. */
export function isNumberText(text: string): boolean {
  return NUMBER.test(text);
}

/** Whether a value is a number that is kept as its text. */
export function isExactNumber(value: unknown): value is ExactNumber {
  if (typeof value !== 'object' || value === null || !('$number' in value)) return false;
  const { $number: text } = value;
  return typeof text === 'string' && Object.keys(value).length === 1 && isNumberText(text);
}

/** Whether a value is a map, and neither a list nor a scalar. */
export function isMap(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** JSON that is the same for the same value, whatever the order of the keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(withSortedKeys(value));
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, inner]): [string, unknown] => [key, withSortedKeys(inner)]));
}
