/** The share of differences, and whether it exceeds the tolerance. */
export interface ToleranceResult {
  /** differing ÷ compared, from 0 to 1; 0 if nothing was compared. */
  readonly discrepancy: number;
  readonly compared: number;
  readonly differing: number;
  /** Whether the share that differs exceeds the tolerance; an equal share does not. */
  readonly exceeded: boolean;
}

/**
 * Compares counts with the tolerance. Uses whole numbers so that the limit is exact: 0.1 % of 1,000 rows is one row, and one row does not
 * exceed it.
 * @param tolerance such as `0.1%` or `0.001`
 */
export function checkTolerance(differing: number, compared: number, tolerance: string): ToleranceResult {
  const { numerator, denominator } = partOf(tolerance);
  return {
    discrepancy: compared === 0 ? 0 : differing / compared,
    compared,
    differing,
    exceeded: BigInt(differing) * denominator > BigInt(compared) * numerator,
  };
}

function partOf(tolerance: string): { readonly numerator: bigint; readonly denominator: bigint } {
  const match = /^(\d+)(?:\.(\d+))?(%)?$/.exec(tolerance.trim());
  if (!match) throw new TypeError(`'${tolerance}' is not a part such as 0.1% or 0.001.`);
  const [, whole = '0', decimals = '', percent] = match;
  return { numerator: BigInt(whole + decimals), denominator: 10n ** BigInt(decimals.length) * (percent ? 100n : 1n) };
}
