import { DURATION_HELP } from '../../workflows/plan/values/duration.ts';

/** A JSON Schema (draft 07), or a part of one. It may have keywords of ours: see `OWN_KEYWORDS`. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The keywords of ours beside those of JSON Schema. */
export const OWN_KEYWORDS = [
  // What `pattern` asks for, in words.
  'form',
  // What earlier releases called the key.
  'formerly',
  // How a text takes `{{ expressions }}`: see TEMPLATE_KINDS.
  'template',
  // What an expression there has to give: see EXPRESSION_KINDS.
  'gives',
  // What an expression there can name: see EXPRESSION_SCOPES.
  'reads',
  // The names that expressions have there beside those of every run.
  'names',
  // It holds what a run is given: its schema is that of the pipeline's parameters.
  'runParams',
  // SQL may be for MySQL too.
  'mysql',
  // The text names a connection.
  'connection',
  // The key beside it that has the text of the file which it names.
  'holds',
] as const;

/**
 * How a text takes expressions. `value`: as its value or inside text (where nothing else is said, for the parameters of a task); `sql`: as
 * SQL literals; `url`: as encoded parts of a URL; `expression`: the whole text is an expression, without braces; `none`: it takes none; `prose`:
 * it is for people, and braces are only braces.
 */
export const TEMPLATE_KINDS = ['value', 'sql', 'url', 'expression', 'none', 'prose'] as const;
export type TemplateKeyword = (typeof TEMPLATE_KINDS)[number];

/** What an expression has to give, where it cannot be anything. */
export const EXPRESSION_KINDS = ['condition', 'list', 'scalar'] as const;
export type ExpressionKind = (typeof EXPRESSION_KINDS)[number];

/**
 * What an expression can name, where it is not what the task can that has it: `own`: the output of that task too; `run`: the outputs of all
 * tasks; `aggregates`: what its window computes.
 */
export const EXPRESSION_SCOPES = ['own', 'run', 'aggregates'] as const;
export type ExpressionReads = (typeof EXPRESSION_SCOPES)[number];

/** A text. */
export function text(title: string, description: string, example: string): JsonSchema {
  return { type: 'string', title, description, examples: [example] };
}

/** A duration, as `parseDuration` reads it. */
export function duration(title: string, description: string, example: string): JsonSchema {
  return { type: 'string', format: 'duration', title, description: `${description} As ${DURATION_HELP}.`, examples: [example] };
}

/** An expression without braces. */
export function expression(
  title: string,
  description: string,
  example: string,
  place: { readonly gives?: ExpressionKind; readonly reads?: ExpressionReads } = {},
): JsonSchema {
  return { ...text(title, description, example), template: 'expression', ...place };
}

/** A map of the keys in `properties`, and no others. */
export function map(
  title: string,
  description: string,
  example: object,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    title,
    description,
    examples: [example],
    properties,
    ...(required.length > 0 && { required }),
  };
}

export const TIME_ZONE: JsonSchema = { ...text('Time zone', 'An IANA name. Default: UTC.', 'Europe/Berlin'), format: 'time-zone' };

/** A day or a time. */
export function date(title: string, description: string): JsonSchema {
  return { ...text(title, description, '2024-01-01'), format: 'iso-date' };
}
