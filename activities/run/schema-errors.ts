import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { RecentMap } from '../../lib/recent-map.ts';
import { isExactNumber, isMap, type Json } from '../../workflows/plan/values/json.ts';
import { TEXT_FORMATS } from '../../workflows/plan/values/text-formats.ts';

/** An error at one place of a value. */
export interface SchemaError {
  /** Path from the root of the value: `columns.0`; empty for the root itself. */
  readonly path: string;
  /** The same path, as segments. */
  readonly steps: readonly string[];
  readonly message: string;
  /** The expected type, if the value's type is wrong. */
  readonly type?: string;
}

const ajv = new Ajv({
  allErrors: true,
  // Our schemas contain keywords for the documentation and the compiler in addition to JSON Schema's.
  strict: false,
  validateSchema: false,
  formats: TEXT_FORMATS,
});
const checks = new WeakMap<TSchema, ValidateFunction>();
/** Schemas of plans, such as those of operations, arrive as another object at each attempt. */
const checksOfText = new RecentMap<ValidateFunction>(1_000);

function checkOf(schema: TSchema): ValidateFunction {
  const known = checks.get(schema);
  if (known) return known;
  const text = JSON.stringify(schema);
  const check = checksOfText.get(text) ?? ajv.compile(schema);
  // Ajv keeps each schema that it has compiled.
  ajv.removeSchema(schema);
  checksOfText.set(text, check);
  checks.set(schema, check);
  return check;
}

/** A copy of a value for JSON Schema, where numbers that are kept as text are numbers. */
export function withDoubles(value: Json): Json {
  if (isExactNumber(value)) return Number(value.$number);
  if (Array.isArray(value)) return (value as readonly Json[]).map(withDoubles);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, each = null]) => [key, withDoubles(each)])) : value;
}

/** Validates a value like the compiler does, with the same formats. @returns the errors; empty if the value is valid */
export function schemaErrors(schema: TSchema, value: unknown): SchemaError[] {
  const check = checkOf(schema);
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
