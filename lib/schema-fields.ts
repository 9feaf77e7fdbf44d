import Type, { type TProperties } from 'typebox';
import type { ExpressionKind, TemplateKeyword } from './schema-keywords.ts';
import { SEVERITIES } from '../workflows/plan/incidents/sla.ts';

/** How a text with `{{ expressions }}` is evaluated, if not by inserting their values. */
interface TextOptions {
  readonly template?: TemplateKeyword;
  /** The required result of an expression; absent: any value. */
  readonly gives?: ExpressionKind;
  /** Whether the SQL may be for MySQL too. */
  readonly mysql?: true;
  /** Names that an expression may read here, in addition to those of every run. */
  readonly names?: readonly string[];
  readonly pattern?: string;
  /** The required format: see workflows/plan/values/text-formats.ts. */
  readonly format?: 'path';
  /** Describes `pattern` for messages. */
  readonly form?: string;
  /** The key's name in earlier releases. */
  readonly formerly?: string;
}

/** A text. */
export function text(title: string, description: string, example: string, options: TextOptions = {}) {
  return Type.String({ minLength: 1, title, description, examples: [example], ...options });
}

/** An alternative to an SQL key: a file with the SQL. The compiler replaces it with the content, so that tasks never see it. */
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

/** A key that names a file whose text takes the place of the key `holds`: see compiler/read/include-files.ts. Tasks never see it. */
export function textFile(title: string, description: string, example: string, holds: string) {
  return Type.Optional(Type.String({ minLength: 1, title, description, examples: [example], template: 'none', holds }));
}

const PART_OF_NAME = '(?:[^".;\\u0000-\\u001f]+|"(?:[^"\\u0000-\\u001f]|"")+")';

/** The format of a table name: `table`, `schema.table`, or parts in double quotes. */
export const TABLE_NAME = {
  pattern: `^${PART_OF_NAME}(?:\\.${PART_OF_NAME})?$`,
  form: 'table or schema.table, without semicolons, and in quotes only where a name has a dot: "odd.schema"."odd.table"',
} as const;

/** The format of a name that is inserted into SQL unchanged. */
export const PLAIN_NAME = { pattern: '^[^";\\u0000-\\u001f]+$', form: 'a name without quotes and semicolons' } as const;

/** A duration in YAML format: `15m`. */
export function duration(title: string, description: string, example: string) {
  return Type.String({ format: 'duration', title, description, examples: [example], template: 'none' });
}

/** An expression without braces. */
export function expression(title: string, description: string, example: string, names: readonly string[] = []) {
  return text(title, description, example, { template: 'expression', ...(names.length > 0 && { names }) });
}

/** An expression without braces that returns true or false. */
export function condition(title: string, description: string, example: string, names: readonly string[] = []) {
  return text(title, description, example, { template: 'expression', gives: 'condition', ...(names.length > 0 && { names }) });
}

/** An integer of at least `minimum`. */
export function count(title: string, description: string, example: number, minimum = 1) {
  return Type.Integer({ minimum, title, description, examples: [example] });
}

/** True or false. */
export function flag(title: string, description: string, example: boolean) {
  return Type.Boolean({ title, description, examples: [example] });
}

/** One of several words. */
export function choice<const T extends string>(title: string, description: string, values: readonly [T, ...T[]]) {
  // TypeBox loses the literal types of a union that is built from a list.
  return Type.Unsafe<T>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { title, description, examples: [values[0]] },
    ),
  );
}

/** The severity of a problem. */
export function severity(description: string) {
  return choice('Severity', description, SEVERITIES);
}

/** A list of texts. */
export function texts(title: string, description: string, example: readonly string[]) {
  return Type.Array(Type.String({ minLength: 1 }), { minItems: 1, title, description, examples: [example] });
}

/** A map with fixed keys. */
export function map<P extends TProperties>(title: string, description: string, example: object, properties: P) {
  return Type.Object(properties, { additionalProperties: false, title, description, examples: [example] });
}

/** A map with arbitrary keys. */
export function anyMap(title: string, description: string, example: object) {
  return Type.Record(Type.String(), Type.Unknown(), { title, description, examples: [example] });
}
