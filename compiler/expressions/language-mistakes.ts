import { ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { baseLanguage } from './expression-language.ts';
import type { ExpressionMistake } from './expression-mistake.ts';
import { foreignFunctionHint, foreignSyntaxHint } from './foreign-names.ts';
import { typeInWords } from './shapes.ts';

/** Explains a text that is not an expression. */
export function syntaxMistake(error: unknown, source: string): ExpressionMistake {
  if (!(error instanceof ParseError)) {
    return {
      start: 0,
      end: source.length,
      code: 'SL501',
      message: `This is not an expression: ${errorText(error)}.`,
    };
  }
  const { start, end } = error.range ?? { start: 0, end: source.length };
  const foreign = foreignSyntaxHint(source);
  const single = /(^|[^=!<>])=([^=]|$)/.exec(source);
  return {
    start,
    end: Math.max(end, start + 1),
    code: 'SL501',
    message: `This is not an expression: ${error.summary ?? error.message}.`,
    ...(foreign !== undefined
      ? { hint: foreign }
      : single
        ? { hint: 'write == to compare' }
        : /\b(and|or|not)\b/.test(source)
          ? { hint: 'write && for and, || for or, ! for not' }
          : {}),
  };
}

/** Translates `no such overload: int == string` into words for analysts. */
function typesInWords(summary: string): string {
  const [, left, operator, right] = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary) ?? [];
  if (left === undefined || operator === undefined || right === undefined) return `The types do not match: ${summary}.`;
  return `'${operator}' does not work between ${typeInWords(left)} and ${typeInWords(right)}.`;
}

/** The function most likely meant, or the available ones. */
function functionHint(summary: string): { hint?: string } {
  const given = /(\w+)\(/.exec(summary)?.[1];
  const names = new Set(
    baseLanguage()
      .getDefinitions()
      .functions.map(({ name }) => name),
  );
  const hint = given === undefined || names.has(given) ? undefined : (foreignFunctionHint(given) ?? didYouMean(given, names));
  return hint === undefined ? {} : { hint };
}

/** Explains a type error in an expression. */
export function typeMistake(error: CelTypeError | ParseError | Error | undefined, source: string): ExpressionMistake {
  const whole = { start: 0, end: source.length };
  if (!(error instanceof CelTypeError || error instanceof ParseError)) {
    return { ...whole, code: 'SL503', message: error?.message ?? 'The types in this expression do not match.' };
  }
  const range = error.range ?? whole;
  const summary = error.summary ?? error.message;
  switch (error.code) {
    case 'no_such_key':
      return { ...range, code: 'SL506', message: `${summary.replace('No such key: ', "Unknown field '")}'.` };
    case 'no_matching_overload':
    case 'unknown_function':
      return { ...range, code: 'SL507', message: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...functionHint(summary) };
    case 'unknown_variable':
      return { ...range, code: 'SL502', message: `${summary}.` };
    default:
      return { ...range, code: 'SL503', message: typesInWords(summary) };
  }
}
