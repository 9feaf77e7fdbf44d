import type { Range } from '../../workflows/plan/expressions/syntax-tree.ts';
import type { Code } from '../mistakes/codes.ts';

/** What is wrong with an expression, `start` and `end` being places in it. */
export interface ExpressionMistake extends Range {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** What is wrong, of which the place is known. */
export type MistakeText = Omit<ExpressionMistake, keyof Range>;
