import Type, { type TSchema } from 'typebox';
import type { NarrowedTypes } from '../../define-task.ts';
import type { Operation } from './operation.ts';

/** The schemas that an operation gives to the keys of its task, and to its output. @param result the schema of the output otherwise */
export function operationTypes(operation: Operation, result: TSchema, hasPages: boolean): NarrowedTypes {
  const { parameters, body, answer } = operation;
  const required = Object.keys(parameters).filter((name) => parameters[name]?.required);
  const properties = Object.fromEntries(Object.entries(parameters).map(([name, { schema }]) => [name, schema]));
  const given = {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length > 0 && { required, examples: [Object.fromEntries(required.map((name) => [name, '…']))] }),
  };
  const needed = [...(required.length > 0 ? ['parameters'] : []), ...(body?.required ? ['body'] : [])];
  const output = answer && (hasPages ? { type: 'array', items: answer } : answer);
  return {
    params: Type.Unsafe({
      type: 'object',
      properties: { parameters: given, ...(body && { body: body.schema }) },
      ...(needed.length > 0 && { required: needed }),
    }),
    ...(output && { result: Type.Unsafe({ ...result, properties: { ...(result as { properties?: object }).properties, body: output } }) }),
  };
}
