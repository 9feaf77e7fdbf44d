/** The range of years with four digits in ISO 8601, in seconds since 1970. */
const [FIRST_SECOND, LAST_SECOND] = [Date.parse('0001-01-01T00:00:00Z') / 1000, Date.parse('9999-12-31T23:59:59Z') / 1000];
const SECONDS_OF_DAY = 86_400;

/** Splits `value` into whole `unit`s and a non-negative rest. */
function split(value: bigint, unit: bigint): [whole: number, rest: number] {
  const rest = ((value % unit) + unit) % unit;
  return [Number((value - rest) / unit), Number(rest)];
}

/** Formats `.5` seconds as `.500`, with none, three, six or nine digits. @param digits maximum digits of `fraction` */
function fractionText(fraction: number, digits: number): string {
  if (fraction === 0) return '';
  const text = String(fraction).padStart(digits, '0').padEnd(9, '0');
  return `.${text.slice(0, text.endsWith('000000') ? 3 : text.endsWith('000') ? 6 : 9)}`;
}

/**
 * Formats a time as ISO 8601, without a zone.
 * @param since 1970, in units of 10^-`digits` seconds
 * @returns undefined before the year 1 and after the year 9999
 */
export function isoTime(since: bigint, digits: number): string | undefined {
  const [seconds, fraction] = split(since, 10n ** BigInt(digits));
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) return undefined;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fractionText(fraction, digits)}`;
}

/** Formats a day as ISO 8601. @returns undefined before the year 1 and after the year 9999 */
export function isoDay(daysSince1970: number): string | undefined {
  return isoTime(BigInt(daysSince1970) * BigInt(SECONDS_OF_DAY), 0)?.slice(0, 10);
}

/** Formats a time of day as ISO 8601. @param since midnight, in units of 10^-`digits` seconds @returns undefined if it exceeds one day */
export function isoTimeOfDay(since: bigint, digits: number): string | undefined {
  const isOfOneDay = since >= 0n && since < BigInt(SECONDS_OF_DAY) * 10n ** BigInt(digits);
  return isOfOneDay ? isoTime(since, digits)?.slice(11) : undefined;
}

/** Formats a duration in seconds, with as many digits as needed. */
export function secondsText(seconds: bigint, nanos: number): string {
  const isNegative = seconds < 0n || nanos < 0;
  const whole = seconds < 0n ? -seconds : seconds;
  return `${isNegative ? '-' : ''}${whole}${fractionText(Math.abs(nanos), 9)}`;
}
