import { numberOf, numberOfDouble } from '../workflows/plan/values/exact-json.ts';
import { isExactNumber, type Json } from '../workflows/plan/values/json.ts';

/**
 * A value of a driver or a decoder as JSON has it: numbers keep their value, bytes are base64, times are ISO 8601 in UTC, and what JSON has no
 * word for (NaN, infinity) is text.
 */
export function jsonValueOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // JSON has one zero.
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
