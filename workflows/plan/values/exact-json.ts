import { Decimal } from './decimal.ts';
import { type ExactNumber, isExactNumber, isNumberText, type Json } from './json.ts';

/** Numbers that doubles always represent: up to 15 digits without an exponent (IEEE 754). */
const SHORT_NUMBER = /^[-\d.]{1,15}$/;

/**
 * Numbers that a double may change: more than 15 digits, or an exponent. A number is at the start, or after one of these characters. A
 * match inside a string only costs time.
 */
const LONG_NUMBERS = /(?:^|[:,[])\s*(-?(?:[\d.]{16}|\d[\d.]*[eE])[\d.eE+-]*)/g;

/** Matches strings, so that nothing in them counts as a number, and numbers. Valid JSON has no other digits. */
const TEXTS_AND_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * Parses JSON like `JSON.parse`, but keeps every number exact: a number that a double would change becomes an `ExactNumber`. All JSON from
 * outside must be read with this function.
 * @throws SyntaxError of `JSON.parse`
 */
export function parseExactJson(text: string): Json {
  return exactly(text, JSON.parse(text) as Json);
}

/**
 * Restores exact numbers in the result of `JSON.parse`.
 * @param text JSON
 * @param value the result of `JSON.parse` for it; returned itself unless a number was changed
 */
export function exactly(text: string, value: Json): Json {
  if (!holdsInexact(text)) return value;
  const marked = text.replace(TEXTS_AND_NUMBERS, (token) => {
    const number = token.startsWith('"') ? null : numberOf(token);
    return isExactNumber(number) ? JSON.stringify(number) : token;
  });
  return JSON.parse(marked) as Json;
}

function holdsInexact(text: string): boolean {
  LONG_NUMBERS.lastIndex = 0;
  for (let found = LONG_NUMBERS.exec(text); found; found = LONG_NUMBERS.exec(text)) {
    if (isExactNumber(numberOf(found[1] ?? ''))) return true;
  }
  return false;
}

/**
 * Writes JSON like `JSON.stringify`, with numbers as their sources wrote them.
 * @param indent spaces per level. Default: everything on one line
 */
export function exactJsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  if (!text.includes('"$number":')) return text;
  // Inside a string, these quotes would be escaped with backslashes.
  return text.replace(/\{\s*"\$number":\s*"([^"\\]*)"\s*\}/g, (map, number: string) => (isNumberText(number) ? number : map));
}

/**
 * A number as a JSON value: a JavaScript number if it is exact. Integers beyond 2^53 are kept as text, because doubles cannot distinguish
 * neighbours there.
 * @param text as JSON writes numbers
 * @returns null if it is not a number
 */
export function numberOf(text: string): number | ExactNumber | null {
  if (!isNumberText(text)) return null;
  const value = Number(text);
  const isHeld = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  if (isHeld && (SHORT_NUMBER.test(text) || text === String(value) || Decimal.of(text).compare(Decimal.of(value)) === 0)) return value;
  return { $number: text };
}

/** A double as a JSON value. NaN and infinity, which JSON cannot represent, become null. */
export function numberOfDouble(value: number): number | ExactNumber | null {
  return Number.isSafeInteger(value) ? value : numberOf(String(value));
}

/** The value of a number; undefined for other values. */
export function decimalOf(value: Json | undefined): Decimal | undefined {
  if (isExactNumber(value)) return Decimal.of(value.$number);
  return typeof value === 'number' && Number.isFinite(value) ? Decimal.of(value) : undefined;
}

/**
 * A text that identifies a value: strings as they are, everything else as JSON. Equal numbers have the same text, however they were
 * written.
 */
export function identityText(value: Json): string {
  if (typeof value === 'string') return value;
  return isExactNumber(value) ? Decimal.of(value.$number).canonical() : exactJsonText(value);
}
