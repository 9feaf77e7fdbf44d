import { ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { baseLanguage } from './expression-language.ts';
import type { ExpressionMistake } from './expression-mistake.ts';
import { foreignFunctionHint, foreignSyntaxHint } from './foreign-names.ts';
import { indexInWords, syntaxInWords, unmatchedCall } from './plain-words.ts';
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
    message: `This is not an expression: ${syntaxInWords(error.summary ?? error.message)}.`,
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
function typesInWords(summary: string, source: string): MistakeWords {
  const [, left, operator, right] = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary) ?? [];
  if (left === undefined || operator === undefined || right === undefined)
    return { message: indexInWords(summary) ?? `The types do not match: ${summary}.`, ...hintOf(fieldHint(source)) };
  const message = `'${operator}' does not work between ${typeInWords(left)} and ${typeInWords(right)}.`;
  return { message, ...hintOf(operatorHint(new Set([left, right]), operator, source)) };
}

interface MistakeWords {
  readonly message: string;
  readonly hint?: string;
}

const hintOf = (hint: string | undefined): { hint?: string } => (hint === undefined ? {} : { hint });

function fieldHint(source: string): string | undefined {
  return /\.length\b/.test(source) ? 'write size(x)' : undefined;
}

/** What to write where two types do not go together. */
function operatorHint(types: ReadonlySet<string>, operator: string, source: string): string | undefined {
  const isSum = operator === '+' || operator === '-';
  const isTime = types.has('google.protobuf.Timestamp');
  if (isSum && types.has('int') && (isTime || /\b(?:\w*ds|ts)\b/.test(source)))
    return `write addDays(${isTime ? 'logical_date' : 'ds'}, ${operator === '-' ? '-1' : '1'})`;
  if (isTime && types.has('string')) return `compare days: date(logical_date) ${operator} "2024-01-31"`;
  if (types.has('bool') && types.has('string')) return 'write the name alone, or with ! before it';
  if (types.has('string') && (types.has('int') || types.has('double')))
    return isSum ? 'string(…) converts a number to text' : 'leave the quotes out, or convert one: int(…), string(…)';
  return undefined;
}

/** Explains a call that no function matches. */
function callWords(summary: string): MistakeWords {
  const call = unmatchedCall(summary);
  if (!call) return { message: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.` };
  const names = new Set(
    baseLanguage()
      .getDefinitions()
      .functions.map(({ name }) => name),
  );
  const near = (): string => didYouMean(call.name, names) ?? 'the functions are listed in docs/01-writing-pipelines.md';
  return { message: call.message, hint: call.usage ?? foreignFunctionHint(call.name) ?? near() };
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
      return { ...range, code: 'SL507', ...callWords(summary) };
    case 'unknown_variable':
      return { ...range, code: 'SL502', message: `${summary}.` };
    default:
      return { ...range, code: 'SL503', ...typesInWords(summary, source) };
  }
}
