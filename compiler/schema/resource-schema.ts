import type { ResourceType } from '../../resources/define-resource.ts';
import { ANCHOR_KEY } from '../read/parse.ts';
import { byType, type JsonSchema } from './json-schema.ts';

/** The JSON Schema of a resource file, built from the catalog. That of a resource is selected by its `type`. */
export function resourceSchema(types: readonly ResourceType[]): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice resources',
    description: 'Resources on servers that `sluice apply` creates and keeps as declared.',
    type: 'object',
    additionalProperties: false,
    patternProperties: {
      [ANCHOR_KEY.source]: { title: 'Anchors', description: 'Holds anchors for aliases and merges; ignored otherwise.' },
    },
    required: ['resources'],
    properties: {
      resources: {
        type: 'array',
        items: { $ref: '#/definitions/resource' },
        title: 'Resources',
        description: 'What the servers should have.',
        examples: [types.slice(0, 1).map(({ example }) => example)],
      },
    },
    definitions: {
      resource: byType(
        'Resource type',
        'What the resource is.',
        types.map(({ type }) => ({ type, definition: `resource_${type}` })),
      ),
      ...Object.fromEntries(types.map((type) => [`resource_${type.type}`, schemaOf(type)])),
    },
  };
}

function schemaOf({ type, description, name, params, file, example }: ResourceType): JsonSchema {
  const { required = [], properties } = params;
  return {
    title: type,
    description,
    type: 'object',
    additionalProperties: false,
    required: ['name', 'type', ...required.filter((key) => key !== file?.holds)],
    examples: [example],
    properties: {
      name: {
        type: 'string',
        title: 'Name',
        description: name.description,
        pattern: name.pattern,
        form: name.form,
        examples: [name.example],
      },
      type: { const: type, title: 'Resource type', description },
      ...properties,
    },
  };
}
