import { Decimal } from '../../workflows/plan/values/decimal.ts';
import { numberOf, numberOfDouble } from '../../workflows/plan/values/exact-json.ts';
import type { ExactNumber, Json } from '../../workflows/plan/values/json.ts';

/** A sum without rounding: a JavaScript number as long as it is exact. */
export type Sum = number | Decimal;

/** @param value finite, or kept as text */
export function sumOf(value: number | ExactNumber): Sum {
  if (typeof value !== 'number') return Decimal.of(value.$number);
  return Number.isSafeInteger(value) ? value : Decimal.of(value);
}

/** @throws RangeError when the magnitudes of the numbers are too far apart */
export function add(a: Sum, b: Sum): Sum {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return decimalOf(a).plus(decimalOf(b));
}

/** @returns a negative number, zero or a positive number if `a` is smaller, equal or larger */
export function compare(a: number | ExactNumber, b: number | ExactNumber): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : decimalOf(sumOf(a)).compare(decimalOf(sumOf(b)));
}

/** The sum in the number format of events. */
export function jsonOfSum(sum: Sum): Json {
  return typeof sum === 'number' ? sum : numberOf(sum.canonical());
}

/** The quotient as a double; null if it overflows. */
export function averageOf(sum: Sum, count: number): Json {
  return numberOfDouble((typeof sum === 'number' ? sum : sum.toNumber()) / count);
}

function decimalOf(sum: Sum): Decimal {
  return sum instanceof Decimal ? sum : Decimal.of(sum);
}
