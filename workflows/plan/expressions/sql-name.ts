import type { Environment } from './cel.ts';

/** Parts of a name in SQL, such as a schema and a table, or several names: what `ident()` gives. */
export class SqlNames {
  constructor(
    /** Each is one name in quotes. */
    readonly names: readonly string[],
    /** What stands between them: a dot between the parts of one name, a comma between names. */
    readonly between: '.' | ', ',
  ) {}
}

/** Values for `IN`: what `in()` gives. */
export class SqlValues {
  constructor(readonly values: readonly unknown[]) {}
}

/** The CEL types of the two, as they are registered. */
export const SQL_TYPES: ReadonlySet<string> = new Set(['sql_names', 'sql_values']);

/** PostgreSQL cuts longer names without an error: two of them could become the same. */
const MAX_NAME_BYTES = 63;

/** Why a text cannot be a name in SQL; undefined when it can. */
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

/** `ident(…)` and `in(…)`, which only SQL has a place for. */
export function addSqlFunctions(language: Environment): void {
  language.registerType('sql_names', SqlNames);
  language.registerType('sql_values', SqlValues);
  language.registerFunction('ident(string): sql_names', (name: string) => checked([name], '.'));
  language.registerFunction('ident(string, string): sql_names', (schema: string, table: string) => checked([schema, table], '.'));
  language.registerFunction('ident(string, string, string): sql_names', (...parts: string[]) => checked(parts, '.'));
  language.registerFunction('ident(list): sql_names', (names: unknown[]) => checked(names, ', '));
  language.registerFunction(`${IN_FUNCTION}(list): sql_values`, (values: unknown[]) => new SqlValues(values));
}

/** `in` is an operator of CEL, and cannot be the name of a function: as long as `in`, so that places in the text stay. */
const IN_FUNCTION = 'IN';

/** An expression as CEL reads it: `in(list)` becomes a call of the function behind it. */
export function celSource(source: string): string {
  return source.replace(/^(\s*)in(?=\s*\()/, `$1${IN_FUNCTION}`);
}
