import { DURATION_HELP } from '../../workflows/plan/values/duration.ts';

/**
 * A JSON Schema (draft 07), or a part of one. Beside its keywords there are seven of ours: `form`, what `pattern` asks for, in words;
 * `formerly`, what earlier releases called the key; `template`, how a text takes `{{ expressions }}`: see `TEMPLATE_KINDS`; `mysql`, that SQL may be for
 * MySQL too; `names`, which names expressions have there beside those of every run;
 * `connection`, that the text names one; and `holds`, which key beside it has the text of the file that it names.
 */
export type JsonSchema = { readonly [keyword: string]: unknown };

/**
 * How a text takes expressions. `value`: as its value or inside text (where nothing else is said, for the parameters of a task); `sql`: as
 * SQL literals; `url`: as encoded parts of a URL; `expression`: the whole text is an expression, without braces; `none`: it takes none.
 */
export const TEMPLATE_KINDS = ['value', 'sql', 'url', 'expression', 'none'] as const;
export type TemplateKeyword = (typeof TEMPLATE_KINDS)[number];

/** A text. */
export function text(title: string, description: string, example: string): JsonSchema {
  return { type: 'string', title, description, examples: [example] };
}

/** A duration, as `parseDuration` reads it. */
export function duration(title: string, description: string, example: string): JsonSchema {
  return { type: 'string', format: 'duration', title, description: `${description} As ${DURATION_HELP}.`, examples: [example] };
}

/** An expression without braces. */
export function expression(title: string, description: string, example: string): JsonSchema {
  return { ...text(title, description, example), template: 'expression' };
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
