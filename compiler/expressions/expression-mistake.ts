import type { Range } from '../../workflows/plan/expressions/syntax-tree.ts';
import type { Code } from '../mistakes/codes.ts';

/** A mistake in an expression. `start` and `end` are positions in it. */
export interface ExpressionMistake extends Range {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** A mistake without its position. */
export type MistakeText = Omit<ExpressionMistake, keyof Range>;
