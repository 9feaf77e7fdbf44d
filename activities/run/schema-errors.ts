import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { TEXT_FORMATS } from '../../workflows/plan/values/text-formats.ts';

/** What is wrong at one place of a value. */
export interface SchemaError {
  /** From the value's root: `columns.0`; empty for the root itself. */
  readonly path: string;
  /** The same, as its steps. */
  readonly steps: readonly string[];
  readonly message: string;
  /** What it is not, where it is of a type that is not allowed. */
  readonly type?: string;
}

const ajv = new Ajv({
  allErrors: true,
  // The schemas are ours, and hold words for the documentation and the compiler beside JSON Schema's own.
  strict: false,
  validateSchema: false,
  formats: TEXT_FORMATS,
});
const checks = new WeakMap<TSchema, ValidateFunction>();

/** Holds a value against a schema as the compiler does, with the same formats. @returns what is wrong; empty when nothing is */
export function schemaErrors(schema: TSchema, value: unknown): SchemaError[] {
  let check = checks.get(schema);
  if (!check) checks.set(schema, (check = ajv.compile(schema)));
  if (check(value)) return [];
  return (check.errors ?? []).map(({ instancePath, message = 'is wrong', keyword, params }) => ({
    path: instancePath.slice(1).replaceAll('/', '.'),
    steps: instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')),
    message,
    ...(keyword === 'type' && { type: String((params as { type: unknown }).type) }),
  }));
}
