import { numberOf, numberOfDouble } from '../workflows/plan/values/exact-json.ts';
import { isExactNumber, type Json } from '../workflows/plan/values/json.ts';

/**
 * Converts a value of a driver or decoder to JSON: numbers keep their value, bytes become base64, times become ISO 8601 in UTC, and values
 * that JSON lacks (NaN, infinity) become text.
 */
export function jsonValueOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // Convert -0 to 0, which JSON does not distinguish.
      return value === 0 ? 0 : (numberOfDouble(value) ?? String(value));
    case 'bigint':
      return numberOf(value.toString());
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (Array.isArray(value)) return value.map(jsonValueOf);
  return isExactNumber(value) ? value : Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonValueOf(part)]));
}
