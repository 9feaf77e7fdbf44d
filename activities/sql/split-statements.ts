/** One statement of several. */
export interface SqlStatement {
  /** Without the semicolon. */
  readonly text: string;
  /** Where its first word stands, from 1. */
  readonly line: number;
  /** Its first words in capital letters, as many as tell what it does. */
  readonly words: readonly string[];
}

const WORDS_KEPT = 4;
/** What holds no words of SQL: comments, texts, names in quotes. The lists of what each may hold: PostgreSQL's manual, 4.1. */
const OPAQUE = /--[^\n]*|'(?:[^']|'')*'?|"(?:[^"]|"")*"?/y;
const ESCAPED_TEXT = /[eE]'(?:[^'\\]|''|\\[^])*'?/y;
const DOLLAR = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;

/**
 * Cuts SQL at the semicolons between statements: not at those in texts, comments, parentheses (rules) and bodies of functions. Pieces
 * without a word are left out.
 */
export function splitStatements(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let words: string[] = [];
  let [start, first, parentheses, blocks] = [0, 0, 0, 0];
  const close = (end: number): void => {
    if (words.length > 0) statements.push({ text: sql.slice(start, end), line: sql.slice(0, first).split('\n').length, words });
    [words, start, parentheses, blocks] = [[], end + 1, 0, 0];
  };
  let at = 0;
  /** Moves on over what the pattern finds here. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(sql)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) at = endOfComment(sql, at);
    else if (take(ESCAPED_TEXT) !== undefined || take(OPAQUE) !== undefined) continue;
    else if (sql[at] === '$') {
      const tag = take(DOLLAR);
      const end = tag === undefined ? at : sql.indexOf(tag, at);
      at = tag === undefined ? at + 1 : end < 0 ? sql.length : end + tag.length;
    } else {
      const from = at;
      const word = take(WORD)?.toUpperCase();
      if (word !== undefined) {
        if (words.length === 0) first = from;
        if (words.length < WORDS_KEPT) words.push(word);
        if (parentheses === 0 && createsRoutine(words)) blocks += blockChange(word, blocks);
        continue;
      }
      const character = sql[at];
      if (character === '(') parentheses += 1;
      if (character === ')') parentheses = Math.max(0, parentheses - 1);
      if (character === ';' && parentheses === 0 && blocks === 0) close(at);
      at += 1;
    }
  }
  close(sql.length);
  return statements;
}

/** Comments of this kind hold others. */
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

function createsRoutine(words: readonly string[]): boolean {
  return /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b/.test(words.join(' '));
}

/** `BEGIN ATOMIC … END` is a body, with CASE … END inside. */
function blockChange(word: string, blocks: number): number {
  if (word === 'BEGIN' || (word === 'CASE' && blocks > 0)) return 1;
  return word === 'END' && blocks > 0 ? -1 : 0;
}

/** The words with which a statement begins or ends a transaction; undefined when it does neither. Savepoints are within one. */
export function transactionControl({ words }: SqlStatement): string | undefined {
  const said = words.join(' ');
  if (/^ROLLBACK( WORK| TRANSACTION)? TO\b/.test(said)) return undefined;
  return /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)\b/.exec(said)?.[0];
}
