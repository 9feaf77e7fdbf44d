import Type, { type TProperties } from 'typebox';
import { SEVERITIES } from '../workflows/plan/incidents/sla.ts';

/** How a text takes `{{ expressions }}`, where it is not simply as their values: see compiler/schema/json-schema.ts. */
interface TextOptions {
  readonly template?: 'sql' | 'url' | 'none' | 'expression';
  /** What an expression has to give; absent: any value. */
  readonly gives?: 'condition';
  /** Whether MySQL may read the SQL, too. */
  readonly mysql?: true;
  /** Names that an expression at this place has beside those of every run. */
  readonly names?: readonly string[];
  readonly pattern?: string;
  /** What it must look like: see workflows/plan/values/text-formats.ts. */
  readonly format?: 'path';
  /** What `pattern` asks for, in words. */
  readonly form?: string;
  /** What earlier releases called the key. */
  readonly formerly?: string;
}

/** A text. */
export function text(title: string, description: string, example: string, options: TextOptions = {}) {
  return Type.String({ minLength: 1, title, description, examples: [example], ...options });
}

/** Beside a key for SQL: a file that has it. The compiler puts its text in the place of that key, and no task sees this one. */
export function sqlFile(holds: 'sql' | 'query') {
  return Type.Optional(
    Type.String({
      minLength: 1,
      title: 'SQL file',
      description: `A file with the SQL, in place of \`${holds}\`: its path from the pipeline's file, within the folder of pipelines. Expressions in it are those of \`${holds}\`.`,
      examples: ['sql/orders.sql'],
      template: 'none',
      holds,
    }),
  );
}

const PART_OF_NAME = '(?:[^".;\\u0000-\\u001f]+|"(?:[^"\\u0000-\\u001f]|"")+")';

/** What the name of a table looks like: `table`, `schema.table`, or parts in double quotes. */
export const TABLE_NAME = {
  pattern: `^${PART_OF_NAME}(?:\\.${PART_OF_NAME})?$`,
  form: 'table or schema.table, without semicolons, and in quotes only where a name has a dot: "odd.schema"."odd.table"',
} as const;

/** What a name looks like that is written into SQL as it is given. */
export const PLAIN_NAME = { pattern: '^[^";\\u0000-\\u001f]+$', form: 'a name without quotes and semicolons' } as const;

/** A duration, as YAML writes it: `15m`. */
export function duration(title: string, description: string, example: string) {
  return Type.String({ format: 'duration', title, description, examples: [example], template: 'none' });
}

/** An expression without braces. */
export function expression(title: string, description: string, example: string, names: readonly string[] = []) {
  return text(title, description, example, { template: 'expression', ...(names.length > 0 && { names }) });
}

/** An expression without braces that gives true or false. */
export function condition(title: string, description: string, example: string, names: readonly string[] = []) {
  return text(title, description, example, { template: 'expression', gives: 'condition', ...(names.length > 0 && { names }) });
}

/** A whole number from `minimum` on. */
export function count(title: string, description: string, example: number, minimum = 1) {
  return Type.Integer({ minimum, title, description, examples: [example] });
}

/** True or false. */
export function flag(title: string, description: string, example: boolean) {
  return Type.Boolean({ title, description, examples: [example] });
}

/** One of a few words. */
export function choice<const T extends string>(title: string, description: string, values: readonly [T, ...T[]]) {
  // TypeBox loses the words of a union that is made from a list.
  return Type.Unsafe<T>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { title, description, examples: [values[0]] },
    ),
  );
}

/** How serious something is. */
export function severity(description: string) {
  return choice('Severity', description, SEVERITIES);
}

/** A list of texts. */
export function texts(title: string, description: string, example: readonly string[]) {
  return Type.Array(Type.String({ minLength: 1 }), { minItems: 1, title, description, examples: [example] });
}

/** A map of certain keys. */
export function map<P extends TProperties>(title: string, description: string, example: object, properties: P) {
  return Type.Object(properties, { additionalProperties: false, title, description, examples: [example] });
}

/** A map of any keys. */
export function anyMap(title: string, description: string, example: object) {
  return Type.Record(Type.String(), Type.Unknown(), { title, description, examples: [example] });
}
