import type { ErrorObject } from 'ajv';
import { parseDay } from '../../workflows/plan/timetable/moment.ts';
import { DURATION_HELP } from '../../workflows/plan/values/duration.ts';
import { schemaTypeInWords } from '../../workflows/plan/values/schema-type-words.ts';
import type { JsonSchema } from '../schema/json-schema.ts';

/** Limits in words. */
export const LIMITS = {
  minimum: (limit) => `be at least ${limit}`,
  maximum: (limit) => `be at most ${limit}`,
  exclusiveMinimum: (limit) => `be more than ${limit}`,
  exclusiveMaximum: (limit) => `be less than ${limit}`,
  minLength: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} characters`),
  maxLength: (limit) => `have at most ${limit} characters`,
  minItems: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} elements`),
  maxItems: (limit) => `have at most ${limit} elements`,
  minProperties: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} keys`),
  uniqueItems: () => 'not contain an element twice',
} satisfies Record<string, (limit: number) => string>;

/** The kinds of values that the branches of a choice allow, in words. */
export function formsInWords(branches: unknown): string {
  const words = (branches as readonly JsonSchema[]).flatMap(({ const: only, type, $ref, anyOf }): string[] => {
    if (only !== undefined) return [`'${String(only)}'`];
    if (Array.isArray(anyOf)) return [formsInWords(anyOf)];
    return [type === undefined ? ($ref === undefined ? 'another value' : 'a map') : schemaTypeInWords(type as string | readonly string[])];
  });
  return [...new Set(words)].join(' or ');
}

/** The required form of a value, as the end of a sentence. */
export function formOf(error: ErrorObject): string {
  const params = error.params as { format?: string; pattern?: string };
  switch (params.format) {
    case 'duration':
      return `, which is not ${DURATION_HELP}`;
    case 'time-zone':
      return ', which is not a time zone such as UTC or Europe/Berlin';
    case 'iso-date':
      return isNoDay(String(error.data)) ? ', a day that does not exist' : ', which is not a date such as 2024-01-31 or 2024-01-31T06:00';
    case 'uri':
      return ', which is not an address such as s3://raw-data/sales';
    case 'path':
      return ", which contains '.', '..' or a control character: write the normalized path";
    default:
  }
  const schema = error.parentSchema as { form?: string; examples?: readonly unknown[] } | undefined;
  const example = schema?.examples?.[0];
  return `; it must be ${schema?.form ?? `of the form ${params.pattern ?? params.format}`}${example === undefined ? '' : `, such as ${String(example)}`}`;
}

/** Whether a text starts with a date that the calendar does not have. */
function isNoDay(text: string): boolean {
  const [day] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  return day !== undefined && parseDay(day) === undefined;
}
