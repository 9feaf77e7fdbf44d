import { exactJsonText } from '../exact-json.ts';
import { isExactNumber, type Json } from '../json.ts';
import type { TemplatePart } from './template.ts';

/** Where in SQL an expression stands; the places where its value cannot be written safely have a name that says so. */
export type SqlPlace = 'value' | 'text' | 'identifier' | 'escape text' | 'comment' | 'dollar-quoted text';

/** The places where a value can be written. */
export function isWritable(place: SqlPlace): place is 'value' | 'text' | 'identifier' {
  return place === 'value' || place === 'text' || place === 'identifier';
}

/** For each expression of an SQL template, in order, where it stands. Lexical rules: PostgreSQL's manual, 4.1 (Redshift's are the same here). */
export function sqlPlaces(parts: readonly TemplatePart[]): SqlPlace[] {
  const places: SqlPlace[] = [];
  let place: SqlPlace = 'value';
  let end = '';
  for (const part of parts) {
    if (typeof part !== 'string') {
      places.push(place);
      continue;
    }
    for (let at = 0; at < part.length; at++) {
      if (place !== 'value') {
        if (place === 'escape text' && part[at] === '\\') at++;
        else if (part.startsWith(end, at)) {
          at += end.length - 1;
          place = 'value';
        }
        continue;
      }
      const rest = part.slice(at, at + 70);
      const dollar = /^\$(?:[A-Za-z_][A-Za-z0-9_]{0,62})?\$/.exec(rest)?.[0];
      if (/^[eE]'/.test(rest) && !/[\w$]/.test(part[at - 1] ?? ' ')) [place, end, at] = ['escape text', "'", at + 1];
      else if (rest.startsWith("'")) [place, end] = ['text', "'"];
      else if (rest.startsWith('"')) [place, end] = ['identifier', '"'];
      else if (rest.startsWith('--')) [place, end] = ['comment', '\n'];
      else if (rest.startsWith('/*')) [place, end, at] = ['comment', '*/', at + 1];
      else if (dollar !== undefined) [place, end, at] = ['dollar-quoted text', dollar, at + dollar.length - 1];
    }
  }
  return places;
}

/**
 * A value as SQL at its place: a literal among code, escaped text inside quotes. Never a piece of SQL: what an event or a parameter holds
 * cannot become a statement.
 * @throws RangeError for text that PostgreSQL cannot hold, and for lists and maps inside quotes
 */
export function sqlText(value: Json, place: 'value' | 'text' | 'identifier'): string {
  const number = typeof value === 'number' ? String(value) : isExactNumber(value) ? value.$number : undefined;
  if (place === 'value') {
    if (value === null) return 'NULL';
    // In brackets: after a minus sign a negative number would begin a comment.
    if (number !== undefined) return number.startsWith('-') ? `(${number})` : number;
    if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
    if (Array.isArray(value)) return value.map((each: Json) => sqlText(each, 'value')).join(', ');
    return `'${escaped(typeof value === 'string' ? value : exactJsonText(value), "'")}'`;
  }
  if (number !== undefined) return number;
  if (typeof value === 'object')
    throw new RangeError(value === null ? 'null cannot stand inside quotes' : 'a list or map cannot stand inside quotes');
  return escaped(String(value), place === 'text' ? "'" : '"');
}

function escaped(text: string, quote: string): string {
  if (text.includes('\0')) throw new RangeError('text with a NUL character cannot stand in SQL');
  return text.replaceAll(quote, quote + quote);
}
