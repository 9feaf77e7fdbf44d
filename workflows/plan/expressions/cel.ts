// The order matters: the library must load while `Date` is the real one.
import './real-date.ts';
export { type ASTNode, Environment, EvaluationError, ParseError, type ParseResult, TypeError } from '@marcbachmann/cel-js';
import './restore-date.ts';
