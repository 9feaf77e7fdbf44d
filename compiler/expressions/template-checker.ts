import { type SqlContext, sqlContexts } from '../../workflows/plan/expressions/sql-context.ts';
import { SQL_TYPES } from '../../workflows/plan/expressions/sql-name.ts';
import { isWritable, type SqlPlace, sqlPlaces } from '../../workflows/plan/expressions/sql-template.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { schemaTypeInWords } from '../../workflows/plan/values/schema-type-words.ts';
import {
  parseTemplate,
  TemplateError,
  type TemplateExpression,
  type TemplatePart,
  wholeExpression,
} from '../../workflows/plan/expressions/template.ts';
import type { Source } from '../read/source.ts';
import { checkExpression } from './expression-checker.ts';
import type { ExpressionScope } from './expression-scope.ts';
import type { FoundTemplate } from './find-templates.ts';
import { fits, typeInWords } from './shapes.ts';

/** The references and the CEL type of a checked expression or template; undefined if it has mistakes, which are reported. */
export interface CheckedTemplate {
  readonly type: string;
  readonly references: readonly Reference[];
}

/**
 * Checks a bare expression.
 * @param required the accepted CEL types, with words for messages; absent: any
 */
export function checkBare(
  source: Source,
  { path, text }: Pick<FoundTemplate, 'path' | 'text'>,
  scope: ExpressionScope,
  required?: { readonly fits: (type: string) => boolean; readonly words: string },
): CheckedTemplate | undefined {
  if (text.includes('{{')) {
    source.report(
      'SL508',
      path,
      `'${String(path.at(-1))}' is already an expression and needs no braces.`,
      `remove the braces: ${text.replace(/\{\{\s*|\s*\}\}/g, '')}`,
    );
    return undefined;
  }
  return checkAt(source, path, { source: text, offset: 0 }, scope, required);
}

/** Checks a text with `{{ expressions }}`. */
export function checkTemplate(
  source: Source,
  { path, text, schema, kind }: FoundTemplate,
  scope: ExpressionScope,
): CheckedTemplate | undefined {
  if (kind === 'none') {
    source.report(
      'SL508',
      path,
      `'${String(path.at(-1))}' does not accept expressions: its value must be known before a run starts.`,
      'write the value itself',
    );
    return undefined;
  }
  let parts: TemplatePart[];
  try {
    parts = parseTemplate(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    source.reportPart('SL501', path, error.offset, error.offset + 2, error.message, 'close it with }}');
    return undefined;
  }
  const whole = wholeExpression(parts);
  if (kind === 'sql' && !checkSql(source, path, parts, whole, schema.mysql === true)) return undefined;
  const required =
    whole && kind === 'value'
      ? { fits: (type: string) => fits(type, schema), words: schemaTypeInWords((schema.type ?? 'string') as string | readonly string[]) }
      : { fits: isText, words: 'text' };
  const checked = parts.flatMap((part) =>
    typeof part === 'string' ? [] : [checkAt(source, path, part, scope, kind === 'sql' ? undefined : required, kind === 'sql')],
  );
  if (!whole && kind === 'value' && !fits('string', schema)) {
    source.report(
      'SL503',
      path,
      `'${String(path.at(-1))}' must be ${schemaTypeInWords((schema.type ?? 'value') as string | readonly string[])}, but an expression with text around it is text.`,
      'write one expression without text around it: "{{ … }}"',
    );
    return undefined;
  }
  const [first] = checked;
  if (!first || checked.includes(undefined)) return undefined;
  if (kind === 'sql' && !checkNames(source, path, parts, checked)) return undefined;
  return { type: whole ? first.type : 'string', references: checked.flatMap((each) => each?.references ?? []) };
}

function checkAt(
  source: Source,
  path: FoundTemplate['path'],
  expression: TemplateExpression,
  scope: ExpressionScope,
  required: { readonly fits: (type: string) => boolean; readonly words: string } | undefined,
  isSql = false,
): CheckedTemplate | undefined {
  const result = checkExpression(expression.source, scope);
  if (result.mistake) {
    const { code, start, end, message, hint } = result.mistake;
    source.reportPart(code, path, expression.offset + start, expression.offset + end, message, hint);
    return undefined;
  }
  if (required && !required.fits(result.type)) {
    const leading = expression.source.length - expression.source.trimStart().length;
    const from = expression.offset + leading;
    source.reportPart(
      'SL503',
      path,
      from,
      from + expression.source.trim().length,
      `'${String(path.at(-1))}' must be ${required.words}, but this is ${typeInWords(result.type)}.`,
      required.words === 'text' ? 'string(…) converts it to text' : conditionHint(required.words, result.type, expression.source.trim()),
    );
    return undefined;
  }
  if (SQL_TYPES.has(result.type) && !isSql) {
    source.reportPart(
      'SL510',
      path,
      expression.offset,
      expression.offset + expression.source.length,
      `'${String(path.at(-1))}' is not SQL: ident(…) and in(…) are only allowed in SQL.`,
      'write the value itself',
    );
    return undefined;
  }
  return result;
}

/** How a value becomes a condition. */
function conditionHint(words: string, type: string, written: string): string | undefined {
  if (!words.startsWith('a condition') || !/^[\w.]{1,60}$/.test(written)) return undefined;
  if (type === 'string') return `compare it: ${written} == "…"`;
  return type === 'int' || type === 'double' ? `compare it: ${written} > 0` : undefined;
}

function checkSql(
  source: Source,
  path: FoundTemplate['path'],
  parts: readonly TemplatePart[],
  whole: TemplateExpression | undefined,
  isForMySQL: boolean,
): boolean {
  if (whole) {
    source.report(
      'SL510',
      path,
      'An expression can be a value in SQL, but not the whole statement.',
      'write the statement, with expressions for its values',
    );
    return false;
  }
  const expressions = parts.filter((part) => typeof part !== 'string');
  const places = sqlPlaces(parts, isForMySQL);
  const bad = places.findIndex((place) => !isWritable(place));
  const at = expressions[bad];
  if (!at) return true;
  const { where, hint: usual = OUTSIDE } = UNWRITABLE[places[bad] ?? ''] ?? UNCLEAR;
  const pieces = places[bad] === 'part of a word' ? (sqlContexts(parts)[bad]?.pieces ?? []) : [];
  const hint = pieces.length > 1 ? `a name is written {{ ${nameCall(pieces)} }}; put a space before a value` : usual;
  source.reportPart('SL510', path, at.offset, at.offset + at.source.length, `A value cannot be written safely ${where}.`, hint);
  return false;
}

/** Checks values at places in SQL that require a name, a list or a value, once their types are known. */
function checkNames(
  source: Source,
  path: FoundTemplate['path'],
  parts: readonly TemplatePart[],
  checked: readonly (CheckedTemplate | undefined)[],
): boolean {
  const expressions = parts.filter((part) => typeof part !== 'string');
  const contexts = sqlContexts(parts);
  for (const [index, place] of sqlPlaces(parts).entries()) {
    const [at, context, type = ''] = [expressions[index], contexts[index], checked[index]?.type];
    const mistake = context && nameMistakeAt(place, context, type);
    if (!at || !mistake) continue;
    source.reportPart('SL510', path, at.offset, at.offset + at.source.length, ...mistake);
    return false;
  }
  return true;
}

/** The mistake of a value at a place in SQL, with a fix. */
function nameMistakeAt(
  place: SqlPlace,
  { isName, isListed, isInList, isBareIn, before, pieces }: SqlContext,
  type: string,
): [message: string, hint: string] | undefined {
  if (SQL_TYPES.has(type))
    return place === 'value'
      ? undefined
      : ['ident(…) and in(…) write their own quotes.', 'put the whole name in the expression, outside of quotes'];
  if (place === 'part of a name' && !isNumber(type)) {
    return [
      `Only a whole number can be part of a name without quotes, but this is ${typeInWords(type)}.`,
      `write the whole name as {{ ${nameCall(pieces)} }}, or in quotes: "sales_{{ … }}"`,
    ];
  }
  const inside = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.source.trim())).join('');
  if (place === 'text' && isInList && type.startsWith('list'))
    return ['A list between quotes is one text, which equals none of its elements.', 'leave the quotes out, or write IN {{ in(…) }}'];
  if (place !== 'value') return undefined;
  if (isName)
    return [
      `SQL expects a name here, but an expression is written as a value: ${SAMPLE[type] ?? "'…'"}.`,
      `write {{ ${nameCall(pieces)} }}`,
    ];
  if (before === 'by' && type === 'string') {
    return [`BY must be followed by a column name, but an expression is written as a value: '…'.`, `write {{ ${nameCall(pieces)} }}`];
  }
  if (isBareIn && ['string', 'int', 'double', 'bool'].includes(type)) return ['IN needs a list in brackets.', `write IN ({{ ${inside} }})`];
  if (!type.startsWith('list') || isListed) return undefined;
  return before === 'in'
    ? ['A list after IN needs brackets.', `write IN {{ in(${inside}) }}, or IN ({{ ${inside} }})`]
    : [
        'A list here is written as comma-separated values.',
        `for names, write {{ ident(${inside}) }}; for values, write IN {{ in(${inside}) }}`,
      ];
}

/** Sample values in SQL. */
const SAMPLE: Readonly<Record<string, string>> = { int: '1', double: '1.5', bool: 'TRUE' };

/** A call of `ident` that builds a whole name from its pieces: `"events_" + ds_nodash`, or schema and table. */
function nameCall(pieces: readonly TemplatePart[]): string {
  const parts: string[][] = [[]];
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      parts.at(-1)?.push(piece.source.trim());
      continue;
    }
    for (const [index, text] of piece.split('.').entries()) {
      if (index > 0) parts.push([]);
      if (text.trim() !== '') parts.at(-1)?.push(JSON.stringify(text.trim().replace(/^"|"$/g, '')));
    }
  }
  return `ident(${parts.map((part) => part.join(' + ')).join(', ')})`;
}

function isNumber(type: string | undefined): boolean {
  return type === 'int' || type === 'dyn';
}

const OUTSIDE = "put it between plain quotes, '{{ … }}', or outside of quotes";
/** Places that servers read differently. */
const UNCLEAR: { readonly where: string; readonly hint?: string } = {
  where: 'here: servers disagree about which part of the SQL before it is quoted',
  hint: 'remove backslashes, backticks, # and unusual quotes from the SQL before it; chr(92) is a backslash',
};

/** Places in SQL, in words. */
const UNWRITABLE: Readonly<Record<string, { readonly where: string; readonly hint?: string }>> = {
  comment: { where: 'in a comment' },
  'escape text': { where: "in a text with escapes, E'…'" },
  'dollar-quoted text': { where: 'in a text between dollar signs' },
  'text with a prefix': { where: 'in a text with a letter before its quotes' },
  'name with a prefix': { where: 'in a name with U& before its quotes' },
  'name in backticks': { where: 'in backticks' },
  'text with a backslash': {
    where: 'in a text with a backslash, which only some servers treat as an escape',
    hint: 'put it outside of the quotes: … || {{ … }}',
  },
  'text in pieces': { where: 'in a text that continues on the next line', hint: 'join the pieces into one text' },
  'beside a text': { where: 'directly before or behind a text or another value', hint: 'put || or a comma between them' },
  'part of a word': { where: 'directly before a letter, a digit or $, or behind U& or $', hint: 'put a space between them' },
};

/** Whether a value can be written inside text. Lists and maps become JSON; only null has no text. */
function isText(type: string): boolean {
  return type !== 'null';
}
