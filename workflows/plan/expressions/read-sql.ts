/**
 * SQL dialects. `standard`: PostgreSQL and DuckDB, where a backslash in `'…'` is an ordinary character. `backslash`: Redshift, and
 * PostgreSQL with `standard_conforming_strings = off`, where a backslash escapes. `mysql`: MySQL and MariaDB with Sluice's settings
 * (`NO_BACKSLASH_ESCAPES`, not `ANSI_QUOTES`).
 */
export type SqlReading = 'standard' | 'backslash' | 'mysql';

export type SqlTokenKind =
  | 'space'
  | 'comment'
  | 'text'
  | 'escape text'
  | 'text with a prefix'
  | 'dollar-quoted text'
  | 'identifier'
  | 'name with a prefix'
  | 'name in backticks'
  | 'word'
  | 'number'
  | 'symbol'
  | 'unclear';

/** A piece of SQL: `[start, end)` in UTF-16 units. */
export interface SqlToken {
  readonly kind: SqlTokenKind;
  readonly start: number;
  readonly end: number;
  /** Whether it is a literal that continues on the next line, `'a'⏎'b'`: PostgreSQL reads one literal, in the mode of its first piece. */
  readonly isContinued?: boolean;
}

type Rule = readonly [SqlTokenKind, RegExp];

/** Characters allowed in a word after its first. Servers treat every non-ASCII character as a letter. */
const JUNK = /[\w$\u0080-\uffff]/y;
const SPACE: Rule = ['space', /[ \t\n\r\f\v]+/y];
const PLAIN_TEXT = /'(?:[^']+|'')*(?:'(?!')|$)/y;
const ESCAPED_TEXT = /'(?:[^'\\]+|''|\\[^]|\\$)*(?:'(?!')|$)/y;
const NAME: Rule = ['identifier', /"(?:[^"]+|"")*(?:"(?!")|$)/y];
const NUMBER: Rule = ['number', /0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|\$\d+/y];
const WORD: Rule = ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y];
const LINE_COMMENT: Rule = ['comment', /--[^\n\r]*/y];
const ESCAPE_TEXT: Rule = ['escape text', /[eE]'(?:[^'\\]+|''|\\[^]|\\$)*(?:'(?!')|$)/y];

/** From PostgreSQL's manual, 4.1 Lexical Structure, and scan.l. */
const STANDARD: readonly Rule[] = [
  SPACE,
  LINE_COMMENT,
  ESCAPE_TEXT,
  ['text with a prefix', /(?:[bBxXnN]|[uU]&)'(?:[^']+|'')*(?:'(?!')|$)/y],
  ['name with a prefix', /[uU]&"(?:[^"]+|"")*(?:"(?!")|$)/y],
  ['text', PLAIN_TEXT],
  NAME,
  NUMBER,
  WORD,
];

/** Rules for Redshift, which has no `U&`. */
const BACKSLASH: readonly Rule[] = [
  SPACE,
  LINE_COMMENT,
  ESCAPE_TEXT,
  ['text with a prefix', /[bBxX]'(?:[^']+|'')*(?:'(?!')|$)|[nN]'(?:[^'\\]+|''|\\[^]|\\$)*(?:'(?!')|$)/y],
  ['text', ESCAPED_TEXT],
  NAME,
  NUMBER,
  WORD,
];

/** From MySQL's manual, 11 Language Structure. There, `"…"` is a string literal. Its quotes are doubled like those of a name. */
const MYSQL: readonly Rule[] = [
  SPACE,
  // Some releases execute the contents of such a comment.
  ['unclear', /\/\*M?!/y],
  // MySQL comments do not nest.
  ['comment', /\/\*[^]*?(?:\*\/|$)|--(?=[\0-\x20]|$)[^\n]*|#[^\n]*/y],
  ['text', PLAIN_TEXT],
  NAME,
  ['name in backticks', /`(?:[^`]+|``)*(?:`(?!`)|$)/y],
  ['word', /[\w$\u0080-\uffff]+/y],
];

const RULES: Readonly<Record<SqlReading, readonly Rule[]>> = { standard: STANDARD, backslash: BACKSLASH, mysql: MYSQL };

const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
/** What may separate the pieces of a literal: blanks and comments that include a line break. */
const BETWEEN_PIECES = /(?:[ \t\n\r\f\v]+|--[^\n\r]*(?=[\n\r]))*(?=')/y;

/** Whether a token is a string literal, with or without a prefix. */
export function isText(kind: SqlTokenKind): boolean {
  return kind === 'text' || kind === 'escape text' || kind === 'text with a prefix';
}

/** Splits SQL into tokens, without gaps. Never throws: unmatched text is a symbol, and text that servers read differently is unclear. */
export function readSql(sql: string, reading: SqlReading): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (let at = 0; at < sql.length;) {
    const token = tokenAt(sql, at, reading);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(sql: string, start: number, reading: SqlReading): SqlToken {
  if (reading !== 'mysql') {
    if (sql.startsWith('/*', start)) return { kind: 'comment', start, end: endOfComment(sql, start) };
    const tag = matchAt(DOLLAR, sql, start);
    if (tag !== undefined) {
      const close = sql.indexOf(tag, start + tag.length);
      return { kind: 'dollar-quoted text', start, end: close < 0 ? sql.length : close + tag.length };
    }
  }
  for (const [kind, pattern] of RULES[reading]) {
    const found = matchAt(pattern, sql, start);
    if (found === undefined) continue;
    const end = start + found.length;
    if (isText(kind) && reading !== 'mysql') return continued(sql, { kind, start, end }, reading);
    // PostgreSQL releases differ on where `1E'…'` or `1$a$` is split.
    return { kind: kind === 'number' && matchAt(JUNK, sql, end) !== undefined ? 'unclear' : kind, start, end };
  }
  return { kind: sql[start] === '\0' ? 'unclear' : 'symbol', start, end: start + 1 };
}

/** Extends a literal with its pieces on following lines. */
function continued(sql: string, token: SqlToken, reading: SqlReading): SqlToken {
  const isEscaped = token.kind === 'escape text' || (reading === 'backslash' && !/[bBxX]/.test(sql[token.start] ?? ''));
  let { end } = token;
  for (;;) {
    const between = matchAt(BETWEEN_PIECES, sql, end);
    if (between === undefined || !/[\n\r]/.test(between)) break;
    end += between.length;
    end += matchAt(isEscaped ? ESCAPED_TEXT : PLAIN_TEXT, sql, end)?.length ?? 0;
  }
  return end === token.end ? token : { ...token, end, isContinued: true };
}

/** Finds the end of a comment that may contain nested comments. */
function endOfComment(sql: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let found = marks.exec(sql); found !== null; found = marks.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}
