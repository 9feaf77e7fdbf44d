/** A table name in SQL that Jinja renders, wholly or in part. */
export interface NameSpan {
  readonly start: number;
  readonly end: number;
  /** Schema and table, or only the table: each a list of texts and expressions. */
  readonly parts: readonly (readonly NamePiece[])[];
}

export type NamePiece = { readonly text: string } | { readonly expression: string };

const PIECE = /[a-z0-9_]+|\{\{([^{}]*)\}\}/y;
/** Keywords before a table name. */
const BEFORE = /\b(?:from|join|into|update|table|truncate)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?/gi;

/**
 * Finds table names in `sql` that contain `{{ … }}`. Skips names with capital letters: `ident()` would quote them and so refer to another
 * table.
 */
export function nameSpans(sql: string): NameSpan[] {
  const spans: NameSpan[] = [];
  for (const match of sql.matchAll(BEFORE)) {
    const start = match.index + match[0].length;
    if (isQuoted(sql.slice(0, start))) continue;
    const span = spanAt(sql, start);
    if (span) spans.push(span);
  }
  return spans;
}

function spanAt(sql: string, start: number): NameSpan | undefined {
  const parts: NamePiece[][] = [[]];
  let end = start;
  for (;;) {
    PIECE.lastIndex = end;
    const [piece, expression] = PIECE.exec(sql) ?? [];
    if (piece === undefined) break;
    parts.at(-1)?.push(expression === undefined ? { text: piece } : { expression });
    end += piece.length;
    if (sql[end] !== '.') continue;
    parts.push([]);
    end++;
  }
  const isMade = parts.flat().some((piece) => 'expression' in piece);
  const isWhole = parts.every((part) => part.length > 0) && parts.length <= 2 && !/[\w"$]/.test(sql[end] ?? ' ');
  return isMade && isWhole ? { start, end, parts } : undefined;
}

/** Whether the position after `before` is inside quotes or a line comment. */
function isQuoted(before: string): boolean {
  const odd = (quote: string): boolean => before.split(quote).length % 2 === 0;
  return odd("'") || odd('"') || (before.split('\n').at(-1) ?? '').includes('--');
}
