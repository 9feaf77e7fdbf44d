import { VALUE_FORMATS, VALUE_TYPES } from '../../workflows/plan/values/value-schema.ts';
import type { JsonSchema } from './json-schema.ts';

const number = (title: string): JsonSchema => ({ type: 'number', title, description: `${title} that is allowed.`, examples: [1] });
const count = (title: string): JsonSchema => ({
  type: 'integer',
  minimum: 0,
  title,
  description: `${title} that are allowed.`,
  examples: [1],
});
const words = (title: string, description: string): JsonSchema => ({ type: 'string', title, description, examples: [description] });
const nested = { $ref: '#/definitions/value' };
const valueType = { enum: VALUE_TYPES };

/**
 * The schema for schemas of user-provided values: the part of JSON Schema that `checkValue` (workflows/plan/values/value-schema.ts)
 * supports. Anything else is refused rather than ignored.
 */
export const VALUE_SCHEMA: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  title: 'Schema of a value',
  description: 'JSON Schema: which values are allowed, with a default.',
  examples: [{ type: 'string', enum: ['full', 'delta'], default: 'delta' }],
  properties: {
    type: {
      anyOf: [valueType, { type: 'array', items: valueType, minItems: 1, uniqueItems: true }],
      title: 'Type',
      description: `One of ${VALUE_TYPES.join(', ')}, or a list of them.`,
      examples: ['integer'],
    },
    title: words('Title', 'Label in forms.'),
    description: words('Description', 'Description of the value.'),
    default: { title: 'Default', description: 'The default value; without a default, a value is required.', examples: [7] },
    examples: { type: 'array', title: 'Examples', description: 'Example values.', examples: [[7]] },
    enum: {
      type: 'array',
      minItems: 1,
      title: 'Allowed values',
      description: 'The values that are allowed.',
      examples: [['full', 'delta']],
    },
    minimum: number('The smallest allowed value'),
    maximum: number('The largest allowed value'),
    exclusiveMinimum: number('Exclusive lower bound'),
    exclusiveMaximum: number('Exclusive upper bound'),
    minLength: count('Minimum number of characters'),
    maxLength: count('Maximum number of characters'),
    format: {
      enum: Object.keys(VALUE_FORMATS),
      title: 'Format',
      description: `The format of a text: ${Object.keys(VALUE_FORMATS).join(', ')}.`,
      examples: ['date'],
    },
    items: { ...nested, title: 'Elements', description: 'The schema of each element of a list.' },
    minItems: count('Minimum number of elements'),
    maxItems: count('Maximum number of elements'),
    properties: {
      type: 'object',
      additionalProperties: nested,
      title: 'Fields',
      description: 'The schemas of the fields of a map.',
      examples: [{ reason: { type: 'string' } }],
    },
    required: {
      type: 'array',
      items: { type: 'string' },
      title: 'Required',
      description: 'The required fields.',
      examples: [['reason']],
    },
    additionalProperties: {
      type: 'boolean',
      title: 'Other fields',
      description: 'Whether other fields are allowed. Default: true.',
      examples: [false],
    },
  },
};
