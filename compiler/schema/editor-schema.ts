import { isMap } from '../../workflows/plan/values/json.ts';
import type { JsonSchema } from './json-schema.ts';
import { COMMON_TASK_KEYS } from './task-keys.ts';

/** A text with an expression: what it gives is known in a run only. */
const EXPRESSION: JsonSchema = { type: 'string', pattern: '\\{\\{' };
/** Definitions whose values are part of a task or a trigger, where expressions can stand. */
const WITH_EXPRESSIONS = /^(?:task|trigger)_/;
/** What an editor shows of a key, whatever form its value has. */
const SHOWN = ['title', 'description', 'examples', 'default'] as const;

/**
 * The schema for editors: as the compiler's, and a value may be an expression where the compiler leaves its type and form to the run. So an
 * editor underlines nothing that `sluice validate` lets pass.
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
 * One definition by `type`, chosen by a condition: of several that might fit the language server offers the keys of all, and to it `sql`
 * may still become `sql_check`, which only a pattern denies.
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

/** A schema whose parts may be expressions, not it itself. */
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

/** A key that must be there may be in a file instead: the compiler looks when it has read that. */
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
