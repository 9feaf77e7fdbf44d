import { readSql } from '../../../workflows/plan/expressions/read-sql.ts';

/** One of several statements. */
export interface SqlStatement {
  /** Without the semicolon. */
  readonly text: string;
  /** The line of its first word, counted from 1. */
  readonly line: number;
  /** Its first words in capital letters, as many as needed to identify its kind. */
  readonly words: readonly string[];
}

const WORDS_KEPT = 4;

/**
 * Splits SQL at the semicolons between statements, but not at those in texts, comments, parentheses (rules) and function bodies. Pieces
 * without a word are left out.
 * @param reading how the server parses texts
 */
export function splitStatements(sql: string, reading: 'standard' | 'backslash' = 'standard'): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let words: string[] = [];
  let [from, first, parentheses, blocks] = [0, 0, 0, 0];
  const close = (end: number): void => {
    if (words.length > 0) statements.push({ text: sql.slice(from, end), line: sql.slice(0, first).split('\n').length, words });
    [words, from, parentheses, blocks] = [[], end + 1, 0, 0];
  };
  for (const { kind, start, end } of readSql(sql, reading)) {
    const text = sql.slice(start, end);
    if (kind === 'word') {
      const word = text.toUpperCase();
      if (words.length === 0) first = start;
      if (words.length < WORDS_KEPT) words.push(word);
      if (parentheses === 0 && createsRoutine(words)) blocks += blockChange(word, blocks);
    } else if (kind === 'symbol') {
      if (text === '(') parentheses += 1;
      if (text === ')') parentheses = Math.max(0, parentheses - 1);
      if (text === ';' && parentheses === 0 && blocks === 0) close(start);
    }
  }
  close(sql.length);
  return statements;
}

function createsRoutine(words: readonly string[]): boolean {
  return /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b/.test(words.join(' '));
}

/** `BEGIN ATOMIC … END` is a body that may contain CASE … END. */
function blockChange(word: string, blocks: number): number {
  if (word === 'BEGIN' || (word === 'CASE' && blocks > 0)) return 1;
  return word === 'END' && blocks > 0 ? -1 : 0;
}

/** The words of a statement that begins or ends a transaction; undefined for others. Savepoints stay within a transaction. */
export function transactionControl({ words }: SqlStatement): string | undefined {
  const said = words.join(' ');
  if (/^ROLLBACK( WORK| TRANSACTION)? TO\b/.test(said)) return undefined;
  return /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)\b/.exec(said)?.[0];
}
