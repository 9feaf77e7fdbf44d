import { isWritable, sqlPlaces } from '../../workflows/plan/expressions/sql-template.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { schemaTypeInWords } from '../../workflows/plan/schema-type-words.ts';
import {
  parseTemplate,
  TemplateError,
  type TemplateExpression,
  type TemplatePart,
  wholeExpression,
} from '../../workflows/plan/expressions/template.ts';
import type { Source } from '../source.ts';
import { checkExpression, type ExpressionScope } from './expression-checker.ts';
import type { FoundTemplate } from './find-templates.ts';
import { fits, typeInWords } from './shapes.ts';

/** What an expression or a template reads, and the CEL type of its value; undefined when it has mistakes, which are reported. */
export interface CheckedTemplate {
  readonly type: string;
  readonly references: readonly Reference[];
}

/**
 * Checks a bare expression.
 * @param wanted the CEL types that fit, and how to say so; absent: any
 */
export function checkBare(
  source: Source,
  { path, text }: Pick<FoundTemplate, 'path' | 'text'>,
  scope: ExpressionScope,
  wanted?: { readonly fits: (type: string) => boolean; readonly words: string },
): CheckedTemplate | undefined {
  if (text.includes('{{')) {
    source.report(
      'SL508',
      path,
      `'${String(path.at(-1))}' is an expression already: it takes no braces.`,
      `write it without: ${text.replace(/\{\{\s*|\s*\}\}/g, '')}`,
    );
    return undefined;
  }
  return checkAt(source, path, { source: text, offset: 0 }, scope, wanted);
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
      `'${String(path.at(-1))}' takes no expression: it must be known before a run starts.`,
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
  if (kind === 'sql' && !checkSql(source, path, parts, whole)) return undefined;
  const wanted =
    whole && kind === 'value'
      ? { fits: (type: string) => fits(type, schema), words: schemaTypeInWords((schema.type ?? 'string') as string | readonly string[]) }
      : { fits: isText, words: 'text' };
  const checked = parts.flatMap((part) =>
    typeof part === 'string' ? [] : [checkAt(source, path, part, scope, kind === 'sql' ? undefined : wanted)],
  );
  const [first] = checked;
  if (!first || checked.includes(undefined)) return undefined;
  return { type: whole ? first.type : 'string', references: checked.flatMap((each) => each?.references ?? []) };
}

function checkAt(
  source: Source,
  path: FoundTemplate['path'],
  expression: TemplateExpression,
  scope: ExpressionScope,
  wanted: { readonly fits: (type: string) => boolean; readonly words: string } | undefined,
): CheckedTemplate | undefined {
  const result = checkExpression(expression.source, scope);
  if (result.mistake) {
    const { code, start, end, message, hint } = result.mistake;
    source.reportPart(code, path, expression.offset + start, expression.offset + end, message, hint);
    return undefined;
  }
  if (wanted && !wanted.fits(result.type)) {
    const leading = expression.source.length - expression.source.trimStart().length;
    const from = expression.offset + leading;
    source.reportPart(
      'SL503',
      path,
      from,
      from + expression.source.trim().length,
      `'${String(path.at(-1))}' wants ${wanted.words}, and this is ${typeInWords(result.type)}.`,
      wanted.words === 'text' ? 'string(…) makes text of it' : undefined,
    );
    return undefined;
  }
  return result;
}

function checkSql(
  source: Source,
  path: FoundTemplate['path'],
  parts: readonly TemplatePart[],
  whole: TemplateExpression | undefined,
): boolean {
  if (whole) {
    source.report(
      'SL510',
      path,
      'An expression can be a value in SQL, and not the SQL itself.',
      'write the statement out, with expressions where its values are',
    );
    return false;
  }
  const expressions = parts.filter((part) => typeof part !== 'string');
  const bad = sqlPlaces(parts).findIndex((place) => !isWritable(place));
  const at = expressions[bad];
  if (!at) return true;
  source.reportPart(
    'SL510',
    path,
    at.offset,
    at.offset + at.source.length,
    `A value cannot be written safely in ${UNWRITABLE[sqlPlaces(parts)[bad] ?? ''] ?? 'this place'}.`,
    "put it between plain quotes, '{{ … }}', or outside of quotes",
  );
  return false;
}

/** Places in SQL, in words. */
const UNWRITABLE: Readonly<Record<string, string>> = {
  comment: 'a comment',
  'escape text': "a text with escapes, E'…'",
  'dollar-quoted text': 'a text between dollar signs',
};

/** What can stand inside text. Lists and maps become JSON; only nothing has no text. */
function isText(type: string): boolean {
  return type !== 'null';
}
