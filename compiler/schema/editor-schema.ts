import { isMap } from '../../workflows/plan/values/json.ts';
import type { JsonSchema } from './json-schema.ts';
import { COMMON_TASK_KEYS } from './task-keys.ts';

/** A text with an expression, whose value is known only in a run. */
const EXPRESSION: JsonSchema = { type: 'string', pattern: '\\{\\{' };
/** Definitions whose values belong to a task or trigger, and so may contain expressions. */
const WITH_EXPRESSIONS = /^(?:task|trigger)_/;
/** The keywords that an editor shows for any form of value. */
const SHOWN = ['title', 'description', 'examples', 'default'] as const;

/**
 * The schema for editors: the compiler's schema, but a value may be an expression where the compiler checks the value only in a run. So an
 * editor accepts everything that `sluice validate` accepts.
 */
export function editorSchema(schema: JsonSchema): JsonSchema {
  const { definitions } = schema;
  return {
    ...schema,
    definitions: Object.fromEntries(
      Object.entries(isMap(definitions) ? definitions : {}).map(([name, definition]) => [name, editorDefinition(name, definition)]),
    ),
  };
}

function editorDefinition(name: string, definition: unknown): unknown {
  if (name === 'task' || name === 'trigger') return chosenByType(definition as JsonSchema, name);
  if (!WITH_EXPRESSIONS.test(name)) return definition;
  return name.startsWith('task_key_') ? orExpression(definition) : withExpressions(definition);
}

/**
 * Selects one definition by `type` with a condition. With `oneOf`, the language server would offer the keys of all candidates. A pattern is
 * needed, because otherwise `sql` could still become `sql_check`.
 */
function chosenByType({ oneOf, properties, type, required }: JsonSchema, kind: 'task' | 'trigger'): JsonSchema {
  const branches = Array.isArray(oneOf) ? (oneOf as { $ref: string }[]) : [];
  const common =
    kind === 'task'
      ? Object.fromEntries(
          [...COMMON_TASK_KEYS].filter((key) => key !== 'type').map((key) => [key, { $ref: `#/definitions/task_key_${key}` }]),
        )
      : {};
  return {
    type,
    required,
    properties: { ...common, ...(properties as object) },
    allOf: branches.map((branch) => {
      const name = branch.$ref.slice(`#/definitions/${kind}_`.length);
      return { if: { properties: { type: { const: name, pattern: `^${name}$` } }, required: ['type'] }, then: branch };
    }),
  };
}

/** Allows expressions for the parts of a schema, but not for the whole. */
function withExpressions(schema: unknown): unknown {
  if (!isMap(schema)) return schema;
  const { properties, additionalProperties, patternProperties, items, anyOf } = schema;
  return {
    ...schema,
    ...(isMap(properties) && { properties: eachOf(properties) }),
    ...(isMap(patternProperties) && { patternProperties: eachOf(patternProperties) }),
    ...(isMap(additionalProperties) && { additionalProperties: orExpression(additionalProperties) }),
    ...(isMap(items) && { items: orExpression(items) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(withExpressions) }),
    ...orInFile(schema),
  };
}

/** Makes a required key optional if a file may contain it: the compiler checks it after reading the file. */
function orInFile({ properties, required }: JsonSchema): JsonSchema {
  const [file, held] =
    Object.entries(isMap(properties) ? properties : {}).find(([, each]) => isMap(each) && each.holds !== undefined) ?? [];
  const key = isMap(held) ? held.holds : undefined;
  if (!Array.isArray(required) || !required.includes(key)) return {};
  return { required: required.filter((each) => each !== key), anyOf: [{ required: [key] }, { required: [file] }] };
}

function eachOf(properties: object): object {
  return Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, orExpression(property)]));
}

function orExpression(schema: unknown): unknown {
  if (!isMap(schema) || schema.template === 'none' || schema.template === 'prose') return schema;
  if (schema.$ref === '#/definitions/value') return { anyOf: [schema, EXPRESSION] };
  if (schema.$ref !== undefined || schema.const !== undefined) return schema;
  const own = withExpressions(schema) as JsonSchema;
  const { anyOf, ...rest } = own;
  if (Array.isArray(anyOf)) return { ...rest, anyOf: [...(anyOf as unknown[]), EXPRESSION] };
  const isOpen = own.type === undefined && own.enum === undefined;
  const takesAnyText = own.type === 'string' && own.pattern === undefined && own.format === undefined;
  if (isOpen || takesAnyText) return own;
  const shown = Object.fromEntries(SHOWN.flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]])));
  return { ...shown, anyOf: [own, EXPRESSION] };
}
