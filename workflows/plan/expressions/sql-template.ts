import { exactJsonText } from '../values/exact-json.ts';
import { isExactNumber, type Json } from '../values/json.ts';
import { fromCel } from './shape.ts';
import { type SqlContext, sqlContexts } from './sql-context.ts';
import { SqlNames, SqlValues } from './sql-name.ts';
import { isText, readSql, type SqlReading, type SqlToken, type SqlTokenKind } from './read-sql.ts';
import type { TemplateExpression, TemplatePart } from './template.ts';

/** Places where a value can be written. `part of a name` accepts digits only: `sales_{{ params.year }}`. */
type WritablePlace = 'value' | 'text' | 'identifier' | 'part of a name';

/** Where an expression is in SQL. Places that are unsafe for values have names that say why. */
export type SqlPlace =
  | WritablePlace
  | Exclude<SqlTokenKind, 'text' | 'identifier'>
  | 'text with a backslash'
  | 'text in pieces'
  | 'beside a text'
  | 'part of a word';

/** Whether a value can be written at this place. */
export function isWritable(place: SqlPlace): place is WritablePlace {
  return place === 'value' || place === 'text' || place === 'identifier' || place === 'part of a name';
}

/** Replaces an expression while SQL is parsed. Servers would read it as a letter. */
const MARK = '\uE000';

interface Located {
  readonly place: SqlPlace;
  /** For `text`: where the literal that contains the expression begins. */
  readonly literal: number;
}

/** A place that servers parse differently. No value may be written here. */
const UNCLEAR: Located = { place: 'unclear', literal: 0 };

/**
 * Finds the place of each expression of an SQL template, in order. All dialects must agree, because the server and its settings are known
 * only when the task runs.
 * @param isForMySQL whether MySQL may run the SQL too
 */
export function sqlPlaces(parts: readonly TemplatePart[], isForMySQL = false): SqlPlace[] {
  return locate(parts, isForMySQL).map(({ place }) => place);
}

function locate(parts: readonly TemplatePart[], isForMySQL: boolean): Located[] {
  const readings: readonly SqlReading[] = isForMySQL ? ['standard', 'backslash', 'mysql'] : ['standard', 'backslash'];
  const [first = [], ...others] = readings.map((reading) => locateIn(parts, reading));
  return first.map((found, index) =>
    // A specific unsafe place is more informative than `unclear`.
    !isWritable(found.place) || others.every((other) => other[index]?.place === found.place) ? found : UNCLEAR,
  );
}

function locateIn(parts: readonly TemplatePart[], reading: SqlReading): Located[] {
  const expressions = new Set<number>();
  let sql = '';
  for (const part of parts) {
    if (typeof part !== 'string') expressions.add(sql.length);
    sql += typeof part === 'string' ? part : MARK;
  }
  const tokens = readSql(sql, reading);
  const unclear = tokens.find(({ kind }) => kind === 'unclear')?.start ?? Infinity;
  const isExpression = (token: SqlToken | undefined): boolean =>
    token !== undefined && token.end === token.start + 1 && expressions.has(token.start);
  const telling = tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment');
  const located = new Map<number, Located>();
  const put = (token: SqlToken, place: SqlPlace): void => {
    for (let at = token.start; at < token.end; at++) {
      if (expressions.has(at)) located.set(at, at < unclear ? { place, literal: token.start } : UNCLEAR);
    }
  };
  for (const token of tokens) if (!isExpression(token)) put(token, placeIn(token, sql, expressions));
  for (const [index, token] of telling.entries()) {
    if (!isExpression(token)) continue;
    const [before, after] = [telling[index - 1], telling[index + 1]];
    // PostgreSQL concatenates adjacent string literals, in the mode of the first.
    const isBeside = [before, after].some((each) => each !== undefined && isText(each.kind)) || isExpression(before);
    const isGlued = /(?:\$|\b[uU]&)$/.test(sql.slice(0, token.start));
    put(token, isBeside ? 'beside a text' : isGlued ? 'part of a word' : 'value');
  }
  return [...expressions].map((at) => located.get(at) ?? UNCLEAR);
}

/** The place of an expression inside a token. */
function placeIn({ kind, start, end, isContinued }: SqlToken, sql: string, expressions: ReadonlySet<number>): SqlPlace {
  if (kind === 'word') return expressions.has(start) ? 'part of a word' : 'part of a name';
  if (kind !== 'text') return kind;
  if (isContinued) return 'text in pieces';
  return sql.slice(start, end).includes('\\') ? 'text with a backslash' : 'text';
}

/**
 * Writes values into SQL. A value becomes a literal in code, or escaped text inside quotes, and never SQL code: data of an event or a
 * parameter cannot become a statement. Text with a backslash is written as `E'…'`, with quotes and backslashes doubled, so servers find the
 * same end whether or not they treat a backslash as an escape. `sqlFor` rewrites it for servers without `E'…'`.
 */
export function renderSql(parts: readonly TemplatePart[], { valueOf, failed, isForMySQL }: SqlRendering): string {
  const located = locate(parts, false).values();
  const contexts = sqlContexts(parts).values();
  const escaped = new Set<number>();
  const written = parts.map((part) => {
    if (typeof part === 'string') return part;
    const { place, literal } = located.next().value ?? UNCLEAR;
    const context = contexts.next().value;
    try {
      if (!isWritable(place)) throw new RangeError(`a value cannot be written safely here (${place})`);
      const value = valueOf(part);
      if (value instanceof SqlNames || value instanceof SqlValues) {
        if (place !== 'value') throw new RangeError('ident() and in() stand outside of quotes: they write their own');
        return { text: value instanceof SqlNames ? namesText(value, isForMySQL) : valuesText(value, context), literal: undefined };
      }
      const text = sqlText(value, place);
      if (place === 'text' && text.includes('\\')) escaped.add(literal);
      return { text, literal: place === 'text' ? literal : undefined };
    } catch (error) {
      throw failed(part, error);
    }
  });
  let sql = '';
  let at = 0;
  for (const piece of written) {
    if (typeof piece === 'string') {
      for (const character of escaped.size === 0 ? [piece] : piece.split('')) {
        sql += escaped.has(at) ? `${/[\w$\u0080-\uffff]$/.test(sql) ? ' ' : ''}E${character}` : character;
        at += character.length;
      }
    } else {
      sql += piece.literal !== undefined && escaped.has(piece.literal) ? piece.text.replaceAll('\\', '\\\\') : piece.text;
      at += 1;
    }
  }
  return sql;
}

/** How to evaluate and write the values of an SQL template. */
interface SqlRendering {
  /** Evaluates an expression. */
  valueOf(expression: TemplateExpression): SqlValue;
  /** Makes the error for an expression whose value cannot be written. */
  failed(expression: TemplateExpression, error: unknown): Error;
  /** Whether to mark names for `sqlFor('mysql')`. */
  readonly isForMySQL: boolean;
}

type SqlValue = Json | SqlNames | SqlValues;

/** Converts a CEL value for `renderSql`. */
export function sqlValueOf(value: unknown): SqlValue {
  return value instanceof SqlNames || value instanceof SqlValues ? value : fromCel(value);
}

/** MySQL reads "…" as a string literal. This comment, which servers ignore, marks a name for `sqlFor`. */
const NAME_MARK = '/*name*/';

function namesText({ names, between }: SqlNames, isForMySQL: boolean): string {
  return names.map((name) => `${isForMySQL ? NAME_MARK : ''}"${doubled(name, '"')}"`).join(between);
}

/** Values for `IN`, with missing brackets added. */
function valuesText({ values }: SqlValues, context: SqlContext | undefined): string {
  const list = sqlList(values.map(fromCel));
  if (context?.isListed) return list;
  return context?.before === 'in' ? `(${list})` : `IN (${list})`;
}

/** @throws RangeError for a value that cannot be written at this place */
function sqlText(value: Json, place: WritablePlace): string {
  const number = typeof value === 'number' ? String(value) : isExactNumber(value) ? value.$number : undefined;
  if (place === 'part of a name') {
    if (number !== undefined && /^\d+$/.test(number)) return number;
    throw new RangeError('only a whole number, from 0 on, can be part of a name; put the whole name in double quotes: "sales_{{ … }}"');
  }
  if (place === 'value') {
    if (value === null) return 'NULL';
    // Bracketed, because after a minus sign a negative number would start a comment.
    if (number !== undefined) return number.startsWith('-') ? `(${number})` : number;
    if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
    if (Array.isArray(value)) return sqlList(value);
    const text = doubled(typeof value === 'string' ? value : exactJsonText(value), "'");
    return text.includes('\\') ? `E'${text.replaceAll('\\', '\\\\')}'` : `'${text}'`;
  }
  if (number !== undefined) return number;
  if (typeof value === 'object')
    throw new RangeError(value === null ? 'null cannot stand inside quotes' : 'a list or map cannot stand inside quotes');
  return doubled(String(value), place === 'text' ? "'" : '"');
}

function sqlList(values: readonly Json[]): string {
  if (values.length === 0) throw new RangeError('SQL has no empty list; run the task only `when` the list has elements');
  return values.map((each) => sqlText(each, 'value')).join(', ');
}

function doubled(text: string, quote: string): string {
  if (text.includes('\0')) throw new RangeError('text with a NUL character is not allowed in SQL');
  if (/\p{Surrogate}/u.test(text)) throw new RangeError('text with half a character (a lone surrogate) is not allowed in SQL');
  return text.replaceAll(quote, quote + quote);
}

/**
 * Rewrites `E'…'` literals for a server that does not support them. In Redshift a backslash escapes in any literal; in MySQL, with Sluice's
 * settings, in none.
 */
export function sqlFor(server: 'redshift' | 'mysql', sql: string): string {
  if (!/[eE]'/.test(sql) && !sql.includes(NAME_MARK)) return sql;
  if (server === 'redshift') {
    return readSql(sql, 'backslash')
      .map(({ kind, start, end }) => sql.slice(kind === 'escape text' ? start + 1 : start, end))
      .join('');
  }
  const tokens = readSql(sql, 'mysql');
  const isMark = ({ start, end }: SqlToken): boolean => sql.slice(start, end) === NAME_MARK;
  return tokens
    .map(({ start, end, kind }, index) => {
      const text = sql.slice(start, end);
      if (kind === 'word' && /^e$/i.test(text) && tokens[index + 1]?.kind === 'text') return '';
      const before = tokens[index - 1];
      if (kind === 'identifier' && before && isMark(before)) return `\`${text.slice(1, -1).replaceAll('""', '"').replaceAll('`', '``')}\``;
      const isEscaped = kind === 'text' && before?.kind === 'word' && /^e$/i.test(sql.slice(before.start, before.end));
      return isEscaped ? text.replaceAll('\\\\', '\\') : text;
    })
    .join('');
}
