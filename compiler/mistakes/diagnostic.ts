import { distance } from 'fastest-levenshtein';
import { blankText, escapeLine } from '../../workflows/plan/values/printable.ts';
import type { Code } from './codes.ts';
import { nearest as nearestNames } from '../../activities/support/nearest.ts';
import { DANGEROUS } from './foreign-habits.ts';

/** One mistake or warning in a file. Lines and columns count from 1; columns are UTF-16 units, as in editors. */
export interface Diagnostic {
  readonly code: Code;
  /** A file with only warnings can be applied. */
  readonly severity: 'error' | 'warning';
  /** What is wrong and what is allowed, without the position. */
  readonly message: string;
  /** The suggested fix, if the compiler has one: `did you mean 'source_table'?` */
  readonly hint?: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many characters to underline on that line; at least 1. */
  readonly length: number;
  /** The text of the line. */
  readonly sourceLine: string;
  /** How many characters of a long line precede `sourceLine`; absent: none. */
  readonly lineFrom?: number;
}

/** A longer line is cut around the mistake, because otherwise the caret would be off the screen. */
const MAX_SHOWN = 120;

/**
 * Formats a diagnostic:
 * ```
 * pipelines/sales.yaml:7:5  SL201  Unknown key 'sorce_table'.
 *     7 |     sorce_table: sales
 *       |     ^^^^^^^^^^^ did you mean 'source_table'?
 * ```
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, code, severity, message, hint, sourceLine } = diagnostic;
  const { column, lineFrom = 0 } = diagnostic;
  const at = column - 1 - lineFrom;
  const gutter = String(line).padStart(5);
  const from = at > MAX_SHOWN - 20 ? at - 40 : 0;
  // Replaces each character with one other, so that the caret stays below the mistake.
  const shown = blankText(sourceLine.slice(from, from + MAX_SHOWN));
  const length = Math.max(1, Math.min(diagnostic.length, shown.length - (at - from)));
  const pointer = `${' '.repeat(Math.max(0, at - from))}${'^'.repeat(length)}`;
  return `${escapeLine(file)}:${line}:${column}  ${code}  ${severity === 'warning' ? 'Warning: ' : ''}${escapeLine(message)}\n${gutter} | ${shown}\n${' '.repeat(5)} | ${pointer}${hint ? ` ${escapeLine(hint)}` : ''}`;
}

/** Sorts by file, then by position. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}

/** The value of `allowed` most likely meant by `given`, or undefined if none is close. */
export function nearest(given: string, allowed: Iterable<string>): string | undefined {
  const safe = [...allowed].filter((each) => !DANGEROUS.has(each) || distance(given.toLowerCase(), each) <= 2);
  return nearestNames(given, safe, 1)[0];
}

/** `did you mean 'x'?` for the closest of `allowed`, or undefined. */
export function didYouMean(given: string, allowed: Iterable<string>): string | undefined {
  const near = nearest(given, allowed);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}
