import { Ajv } from 'ajv';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Column } from '../../workflows/plan/datasets/dataset.ts';
import type { ParamMistake } from '../define-task.ts';
import { withDoubles } from '../run/schema-errors.ts';

/** Formats of texts that a schema may ask for. */
const FORMATS = {
  date: (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDate(text),
  'date-time': (text: string) =>
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text) &&
    isDate(text.slice(0, 10)) &&
    !Number.isNaN(Date.parse(text)),
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
};

/** Whether a day exists: `Date` would turn 30 February into March. */
function isDate(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Compiles the schema of target records. @returns a function that returns why a record does not match; undefined if it does */
export function recordCheck(schema: JsonObject): (record: Json) => string | undefined {
  const check = compile(schema);
  return (record) => {
    if (check(withDoubles(record))) return undefined;
    const [first] = check.errors ?? [];
    return `${first?.instancePath.slice(1).replaceAll('/', '.') || 'the record'} ${first?.message ?? 'does not match the schema'}`;
  };
}

function compile(schema: JsonObject) {
  // Strict, so that a misspelt keyword is a mistake and not a check that is never made.
  return new Ajv({ strict: true, strictTypes: false, strictRequired: false, strictTuples: false, formats: FORMATS }).compile(schema);
}

/** Mistakes in a schema, found when the file is compiled. */
export function schemaMistakes(schema: JsonObject | undefined): ParamMistake[] {
  if (!isMap(schema)) return [];
  const pattern = patternIn(schema, ['schema']);
  if (pattern)
    return [
      {
        at: pattern,
        message: `'${pattern.at(-1)}' is not allowed: a regular expression can take a text from a file as long as it likes.`,
        hint: 'use enum, minLength, maxLength or format, or test the text in `map` with like()',
      },
    ];
  try {
    compile(schema);
    return [];
  } catch (error) {
    return [{ at: ['schema'], message: `The JSON Schema is not valid: ${errorText(error)}.`, hint: 'correct it' }];
  }
}

/** The path to a keyword with a regular expression. */
function patternIn(value: Json | undefined, path: readonly string[], isNames = false): readonly string[] | undefined {
  if (Array.isArray(value))
    return (value as readonly Json[]).map((each, index) => patternIn(each, [...path, String(index)])).find((found) => found !== undefined);
  if (!isMap(value)) return undefined;
  for (const [key, part] of Object.entries(value)) {
    if (!isNames && (key === 'pattern' || key === 'patternProperties')) return [...path, key];
    const found = patternIn(part, [...path, key], !isNames && (key === 'properties' || key === '$defs' || key === 'definitions'));
    if (found) return found;
  }
  return undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'bigint',
  number: 'numeric',
  boolean: 'boolean',
  string: 'text',
  object: 'jsonb',
  array: 'jsonb',
};

/** The columns of the result, with types for a table that could hold it. */
export function columnsOf(names: readonly string[], schema: JsonObject | undefined): Column[] {
  const properties = isMap(schema?.properties) ? schema.properties : {};
  return names.map((name) => {
    const property = properties[name];
    const type = isMap(property)
      ? Array.isArray(property.type)
        ? (property.type as readonly Json[]).find((each) => each !== 'null')
        : property.type
      : undefined;
    return { name, type: TYPES[String(type)] ?? 'text' };
  });
}
