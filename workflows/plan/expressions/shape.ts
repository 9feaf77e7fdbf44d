import { Decimal } from '../values/decimal.ts';
import { numberOf } from '../values/exact-json.ts';
import { isExactNumber, type Json } from '../values/json.ts';

/**
 * The type of a value in expressions, if the compiler knows it. It is stored in the plan because JSON cannot distinguish `3` from `3.0`,
 * and `3 / 2` is 1 for integers. Wire data.
 */
export type Shape =
  | 'dyn'
  | 'int'
  | 'double'
  /** Exact and never an integer: the sums of windows. */
  | 'decimal'
  | 'string'
  | 'bool'
  | 'timestamp'
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** Converts a JSON value to CEL. Integers become `bigint` unless `shape` makes them floats; numbers beyond doubles become `Decimal`. */
export function toCel(value: Json | undefined, shape: Shape): unknown {
  if (typeof value === 'number') {
    if (shape === 'decimal') return Decimal.of(value);
    return Number.isSafeInteger(value) && shape !== 'double' ? BigInt(value) : value;
  }
  if (typeof value === 'string') return shape === 'timestamp' ? new Date(value) : value;
  if (Array.isArray(value)) {
    const element = typeof shape === 'object' && 'list' in shape ? shape.list : 'dyn';
    return (value as readonly Json[]).map((each) => toCel(each, element));
  }
  if (isExactNumber(value)) {
    const number = Decimal.of(value.$number);
    const isInt = /^-?\d+$/.test(value.$number) && shape !== 'decimal' && shape !== 'double';
    return isInt ? (number.int64 ?? number) : number;
  }
  if (typeof value === 'object' && value !== null) {
    const fields: Readonly<Record<string, Shape>> = typeof shape === 'object' && 'fields' in shape ? shape.fields : {};
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, part]) => part !== undefined)
        .map(([key, part]) => [key, toCel(part, Object.hasOwn(fields, key) ? (fields[key] ?? 'dyn') : 'dyn')]),
    );
  }
  return value;
}

/**
 * Converts a CEL value to JSON. A number that a double would change keeps its digits. A time becomes ISO 8601 in UTC.
 */
export function fromCel(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      return numberOf(value.toString());
    case 'number':
      // JSON cannot represent these.
      return Number.isFinite(value) ? value : String(value);
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (value instanceof Date) return isoOf(value);
  if (value instanceof Decimal) return numberOf(value.toString());
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Uint8Array) return [...value];
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  if (isDuration(value)) return `${Number(value.seconds) + value.nanos / 1e9}s`;
  return Object.fromEntries(entries.map(([key, part]) => [String(key), fromCel(part)]));
}

/** ISO 8601 in UTC; includes milliseconds only if they are not zero. */
function isoOf(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}

function isDuration(value: object): value is { seconds: bigint; nanos: number } {
  return 'seconds' in value && 'nanos' in value && typeof value.seconds === 'bigint' && typeof value.nanos === 'number';
}
