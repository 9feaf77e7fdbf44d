/** Values that Temporal transports as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * A number that a double would change, such as 9007199254740993 or 1e400: its original text. Wire data. exact-json.ts reads and writes it;
 * calculations convert it to a `Decimal`.
 */
export interface ExactNumber extends JsonObject {
  readonly $number: string;
}

/** A number in JSON syntax. The pattern never backtracks over digits, so its time is linear. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether a text is a number in JSON syntax. */
export function isNumberText(text: string): boolean {
  return NUMBER.test(text);
}

/** Whether a value is a number kept as text. */
export function isExactNumber(value: unknown): value is ExactNumber {
  if (typeof value !== 'object' || value === null || !('$number' in value)) return false;
  const { $number: text } = value;
  return typeof text === 'string' && Object.keys(value).length === 1 && isNumberText(text);
}

/** Whether a value is a map, not a list or a scalar. */
export function isMap(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** JSON that is the same for equal values, whatever the order of keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(withSortedKeys(value));
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, inner]): [string, unknown] => [key, withSortedKeys(inner)]));
}
