import { readSql } from '../../../workflows/plan/expressions/read-sql.ts';

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

/**
 * Cuts SQL at the semicolons between statements: not at those in texts, comments, parentheses (rules) and bodies of functions. Pieces
 * without a word are left out.
 * @param reading how the server reads texts
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
