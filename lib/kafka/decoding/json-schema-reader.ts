import { Ajv } from 'ajv';
import { exactly } from '../../../workflows/plan/values/exact-json.ts';
import { isExactNumber, isMap, type Json } from '../../../workflows/plan/values/json.ts';

/**
 * Creates a reader for JSON records with a JSON Schema: validates them and fills in defaults.
 * @param referred the referenced schemas, by name
 * @throws Error for an invalid schema
 */
export function jsonSchemaReader(
  text: string,
  referred: readonly { readonly name: string; readonly text: string }[],
): (body: Buffer) => Json {
  const ajv = new Ajv({ strict: false, strictNumbers: false, useDefaults: true, validateFormats: false });
  for (const { name, text: schema } of referred) ajv.addSchema(JSON.parse(schema) as object, name);
  // Ignore the draft that `$schema` names: only keywords common to all drafts are checked.
  const schema = JSON.parse(text) as Record<string, unknown>;
  delete schema.$schema;
  const check = ajv.compile(schema);
  return (body) => {
    const json = body.toString();
    const value = JSON.parse(json) as Json;
    const exact = exactly(json, value);
    // Validation, which also fills in defaults, only supports doubles.
    if (check(value)) return withNumbersOf(exact, value);
    const [first] = check.errors ?? [];
    throw new Error(`it does not fit: ${first?.instancePath ?? ''} ${first?.message ?? ''}`);
  };
}

/** Replaces numbers in `value` with those of `exact`, parsed from the same text. */
function withNumbersOf(exact: Json | undefined, value: Json): Json {
  if (isExactNumber(exact)) return exact;
  if (Array.isArray(value)) {
    const list = Array.isArray(exact) ? (exact as readonly Json[]) : [];
    return value.map((each: Json, index) => withNumbersOf(list[index], each));
  }
  if (!isMap(value)) return value;
  const map = isMap(exact) ? exact : {};
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withNumbersOf(map[key], part ?? null)]));
}
