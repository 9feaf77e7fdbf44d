/** A piece of a template: literal text, or the expression between `{{` and `}}`. */
export type TemplatePart = string | TemplateExpression;

export interface TemplateExpression {
  readonly source: string;
  /** Where `source` begins in the template, in UTF-16 units. */
  readonly offset: number;
}

/** Thrown for a template whose braces do not match. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** Whether `text` contains an expression. Most strings do not. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}

/**
 * Splits a string with `{{ expressions }}`. An expression ends at the first `}}` that is not inside quotes and does not close a map.
 * @throws TemplateError when an expression is not closed
 */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('{{', from);
    if (open < 0) break;
    if (open > from) parts.push(text.slice(from, open));
    const close = endOfExpression(text, open + 2);
    if (close === undefined) throw new TemplateError('This {{ is never closed by }}.', open);
    parts.push({ source: text.slice(open + 2, close), offset: open + 2 });
    from = close + 2;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

/** The expression of a template that contains nothing else except blanks. Its value keeps its type. */
export function wholeExpression(parts: readonly TemplatePart[]): TemplateExpression | undefined {
  const written = parts.filter((part) => typeof part !== 'string' || part.trim() !== '');
  const [only] = written;
  return written.length === 1 && typeof only === 'object' ? only : undefined;
}

function endOfExpression(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "'") {
      at = endOfQuoted(text, at);
    } else if (character === '{') {
      depth++;
    } else if (character === '}') {
      if (depth === 0) return text[at + 1] === '}' ? at : undefined;
      depth--;
    }
  }
  return undefined;
}

/** Where the quoted text that starts at `at` ends; the end of `text` if it is not closed. */
function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  return end;
}
