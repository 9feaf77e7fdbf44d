import type { Environment } from './cel.ts';

/** The result of `ident()`: the parts of one SQL name, such as a schema and a table, or several names. */
export class SqlNames {
  constructor(
    /** Each is one quoted name. */
    readonly names: readonly string[],
    /** The separator: a dot between the parts of one name, a comma between names. */
    readonly between: '.' | ', ',
  ) {}
}

/** The result of `in()`: values for `IN`. */
export class SqlValues {
  constructor(readonly values: readonly unknown[]) {}
}

/** The registered CEL types of both. */
export const SQL_TYPES: ReadonlySet<string> = new Set(['sql_names', 'sql_values']);

/** PostgreSQL truncates longer names silently, so two names could become the same. */
const MAX_NAME_BYTES = 63;

/** Why a text cannot be an SQL name; undefined when it can. */
export function nameMistake(name: string): string | undefined {
  if (name === '') return 'a name cannot be empty';
  if (name.includes('.')) return `'${name}' has a dot: give a schema and a table as two, ident(schema, table)`;
  // eslint-disable-next-line no-control-regex
  if (/["'`;\\\u0000-\u001f\u007f]|--|\/\*|\p{Surrogate}/u.test(name)) {
    return `'${name.slice(0, 80)}' holds a quote, a semicolon, a backslash, the beginning of a comment or a control character, which no name has`;
  }
  const bytes = [...name].reduce(
    (sum, character) => sum + (character <= '\u007f' ? 1 : character <= '\u07ff' ? 2 : character <= '\uffff' ? 3 : 4),
    0,
  );
  return bytes > MAX_NAME_BYTES ? `'${name.slice(0, 80)}' has ${bytes} bytes; a name has at most ${MAX_NAME_BYTES}` : undefined;
}

function checked(names: readonly unknown[], between: SqlNames['between']): SqlNames {
  if (names.length === 0) throw new RangeError('ident(): an empty list names nothing');
  const texts = names.map((name) => {
    if (typeof name !== 'string') throw new RangeError(`ident(): a name is text, and this is ${String(name)}`);
    const mistake = nameMistake(name);
    if (mistake !== undefined) throw new RangeError(`ident(): ${mistake}`);
    return name;
  });
  return new SqlNames(texts, between);
}

/** Adds `ident(…)` and `in(…)`, which are only used in SQL. */
export function addSqlFunctions(language: Environment): void {
  language.registerType('sql_names', SqlNames);
  language.registerType('sql_values', SqlValues);
  language.registerFunction('ident(string): sql_names', (name: string) => checked([name], '.'));
  language.registerFunction('ident(string, string): sql_names', (schema: string, table: string) => checked([schema, table], '.'));
  language.registerFunction('ident(string, string, string): sql_names', (...parts: string[]) => checked(parts, '.'));
  language.registerFunction('ident(list): sql_names', (names: unknown[]) => checked(names, ', '));
  language.registerFunction(`${IN_FUNCTION}(list): sql_values`, (values: unknown[]) => new SqlValues(values));
}

/** `in` is a CEL operator and cannot name a function. The replacement has the same length, so positions in the text stay valid. */
const IN_FUNCTION = 'IN';

/** Rewrites an expression for CEL: `in(list)` becomes a call of `IN_FUNCTION`. */
export function celSource(source: string): string {
  return source.replace(/^(\s*)in(?=\s*\()/, `$1${IN_FUNCTION}`);
}
