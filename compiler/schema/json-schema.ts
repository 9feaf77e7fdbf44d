import type { ExpressionKind, ExpressionReads } from '../../lib/schema-keywords.ts';
import { DURATION_HELP } from '../../workflows/plan/values/duration.ts';

// Schemas of the keys of a pipeline file. The compiler reads their values from YAML nodes, so they need no TypeScript type; those of task
// types, triggers and channels do: `lib/schema-fields.ts` makes both from one definition.

/** A JSON Schema (draft 07), or a part of one. It may use our own keywords: see `OWN_KEYWORDS`. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export function text(title: string, description: string, example: string): JsonSchema {
  return { type: 'string', title, description, examples: [example] };
}

/** A duration, in the syntax of `parseDuration`. */
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

/** A map with the keys in `properties` and no others. */
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

/** A date or a time. */
export function date(title: string, description: string): JsonSchema {
  return { ...text(title, description, '2024-01-01'), format: 'iso-date' };
}

/** Selects one of several definitions by `type`. */
export function byType(
  title: string,
  description: string,
  branches: readonly { readonly type: string; readonly definition: string }[],
): JsonSchema {
  const types = branches.map(({ type }) => type);
  return {
    type: 'object',
    required: ['type'],
    // Redundant with the branches, but editors offer all types only if one list contains them.
    properties: { type: { title, description, enum: types, examples: types.slice(0, 1) } },
    discriminator: { propertyName: 'type' },
    oneOf: branches.map(({ definition }) => ({ $ref: `#/definitions/${definition}` })),
  };
}
