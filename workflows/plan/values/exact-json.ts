import { Decimal } from './decimal.ts';
import { type ExactNumber, isExactNumber, isNumberText, type Json } from './json.ts';

/** Numbers that doubles keep in any case: of up to 15 digits, without an exponent. IEEE 754. */
const SHORT_NUMBER = /^[-\d.]{1,15}$/;

/**
 * Numbers that a double may change: those of more than 15 digits, or with an exponent. A number stands at the beginning, or behind one of
 * these characters; texts that look like one cost only time.
 */
const LONG_NUMBERS = /(?:^|[:,[])\s*(-?(?:[\d.]{16}|\d[\d.]*[eE])[\d.eE+-]*)/g;

/** Texts, so that nothing in them is taken for a number, and numbers. JSON that has been parsed has no other digits. */
const TEXTS_AND_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * Reads JSON, as `JSON.parse` does, and keeps every number what it is: one that a double would change is an `ExactNumber`. The one way to
 * read JSON that somebody else has written.
 * @throws SyntaxError of `JSON.parse`
 */
export function parseExactJson(text: string): Json {
  return exactly(text, JSON.parse(text) as Json);
}

/**
 * What `JSON.parse` makes of a text, with the numbers as they were written.
 * @param text JSON
 * @param value what `JSON.parse` makes of it: itself the answer, unless a number was changed
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
 * Writes JSON, as `JSON.stringify` does, with numbers as their sources have written them.
 * @param indent spaces for each level. Default: all in one line
 */
export function exactJsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  if (!text.includes('"$number":')) return text;
  // Inside of a text these quotes would have backslashes before them.
  return text.replace(/\{\s*"\$number":\s*"([^"\\]*)"\s*\}/g, (map, number: string) => (isNumberText(number) ? number : map));
}

/**
 * A number as JSON values have it: JavaScript's own where it holds the value, and for whole numbers up to 2^53 only, for those beyond it cannot
 * tell from their neighbours.
 * @param text as JSON writes numbers
 * @returns null for what is not a number
 */
export function numberOf(text: string): number | ExactNumber | null {
  if (!isNumberText(text)) return null;
  const value = Number(text);
  const isHeld = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  if (isHeld && (SHORT_NUMBER.test(text) || text === String(value) || Decimal.of(text).compare(Decimal.of(value)) === 0)) return value;
  return { $number: text };
}

/** A double as JSON values have it; what is not a number, and infinity, for which JSON has no word, are null. */
export function numberOfDouble(value: number): number | ExactNumber | null {
  return Number.isSafeInteger(value) ? value : numberOf(String(value));
}

/** The value of a number; undefined for everything else. */
export function decimalOf(value: Json | undefined): Decimal | undefined {
  if (isExactNumber(value)) return Decimal.of(value.$number);
  return typeof value === 'number' && Number.isFinite(value) ? Decimal.of(value) : undefined;
}

/**
 * A value as a text that tells it from others: texts as they are, everything else as JSON. The same number has one text, however it was
 * written.
 */
export function identityText(value: Json): string {
  if (typeof value === 'string') return value;
  return isExactNumber(value) ? Decimal.of(value.$number).canonical() : exactJsonText(value);
}
