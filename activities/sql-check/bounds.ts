import type { Json } from '../../workflows/plan/values/json.ts';

/** The allowed values. `tolerance` is a share of each bound: `0.1%`. */
export interface Bounds {
  readonly equals?: number | string;
  readonly min?: number;
  readonly max?: number;
  readonly between?: readonly number[];
  readonly tolerance?: string;
}

/** Whether a value is within bounds. Text from the server is compared as a number if it is one. NULL, NaN and infinity never match. */
export function withinBounds(value: Json, { equals, min, max, between = [], tolerance = '0%' }: Bounds): boolean {
  if (value === null) return false;
  const off = Number(tolerance.slice(0, -1)) / 100;
  const number = numberOf(value);
  const [least = min, most = max] = between;
  if (typeof equals === 'string' && String(value) !== equals) return false;
  // Decimal fractions such as 0.1 are not exact in binary: the last bit must not decide at a bound.
  const slack = (bound: number): number => Math.abs(bound) * (off + Number.EPSILON * 4);
  if (typeof equals === 'number' && !(Math.abs(number - equals) <= slack(equals))) return false;
  if (least !== undefined && !(number >= least - slack(least))) return false;
  return most === undefined || number <= most + slack(most);
}

/** NaN for anything that is not a finite number: `[]`, a blank and `true` do not count, although JavaScript converts them to 0 and 1. */
function numberOf(value: Json): number {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value));
  const number = isNumber ? Number(value) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

/** As text: `at least 1 and at most 100, ± 0.1%`. */
export function boundsText({ equals, min, max, between = [], tolerance }: Bounds): string {
  const [least = min, most = max] = between;
  const parts = [
    equals !== undefined && `${equals}`,
    least !== undefined && `at least ${least}`,
    most !== undefined && `at most ${most}`,
  ].filter((part) => part !== false);
  return parts.join(' and ') + (tolerance === undefined ? '' : `, ± ${tolerance}`);
}
