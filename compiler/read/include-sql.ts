import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { ReadBeside } from './read-beside.ts';
import { propertyOf } from '../expressions/find-templates.ts';
import { MAX_BYTES } from './parse.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { Path, Source } from './source.ts';
import { taskNodes } from '../resolve/task-node.ts';

/** The key that names an SQL file. */
export const SQL_FILE = 'sql_file';

/** The schemas of the parameters of tasks and triggers, by type. */
export interface ParamSchemas {
  readonly tasks: ReadonlyMap<string, { readonly params: unknown }>;
  readonly triggers: ReadonlyMap<string, { readonly params: unknown }>;
}

/**
 * Replaces each `sql_file` by the text of the file, as if it were written in the pipeline. Mistakes in it are reported in that file.
 * @param readBeside reads a file; absent: no files can be read
 * @returns the file's value; unreadable files are reported and omitted
 */
export function includeSql(source: Source, value: JsonObject, { tasks, triggers }: ParamSchemas, readBeside?: ReadBeside): JsonObject {
  if (!source.text.includes(SQL_FILE) && !/\.(?:sql|hql)\b/i.test(source.text)) return value;
  const includer = new Includer(source, readBeside);
  let included = value;
  for (const { path, keys, type = '' } of taskNodes(value)) included = includer.includeAt(included, path, keys, tasks.get(type)?.params);
  for (const [index, trigger] of (Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : []).entries())
    if (isMap(trigger)) included = includer.includeAt(included, ['triggers', index], trigger, triggers.get(String(trigger.type))?.params);
  return included;
}

class Includer {
  private characters: number;

  constructor(
    private readonly source: Source,
    private readonly readBeside: ReadBeside | undefined,
  ) {
    this.characters = source.text.length;
  }

  /** The file's value with the SQL of a task or trigger included. */
  includeAt(value: JsonObject, path: Path, keys: JsonObject, schema: unknown): JsonObject {
    const included = this.include(keys, schema, path);
    return included === keys ? value : (put(value, path, included) as JsonObject);
  }

  private include(value: Json | undefined, schema: unknown, path: Path): Json | undefined {
    if (Array.isArray(value)) {
      const list = value as readonly Json[];
      const items = describedBy(schema)
        .map((each) => each.items)
        .find((each) => each !== undefined);
      const included = list.map((each, index): Json => this.include(each, items, [...path, index]) ?? null);
      return included.some((each, index) => each !== list[index]) ? included : list;
    }
    if (!isMap(value)) return value;
    const described = describedBy(schema);
    const schemaOf = (key: string): unknown => described.map((each) => propertyOf(each, key)).find((each) => each !== undefined);
    const changed = Object.entries(value).flatMap(([key, part]): [string, Json | undefined][] => {
      const own = schemaOf(key);
      const included = this.include(part, own, [...path, key]);
      return included === part ? [] : [[key, included]];
    });
    const inside = changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) };
    const key = schemaOf(SQL_FILE);
    const given = inside[SQL_FILE];
    if (!isMap(key) || typeof key.holds !== 'string') return inside;
    const sql = inside[key.holds];
    // Airflow reads the file whose name stands in place of the SQL.
    if (typeof sql === 'string' && FILE_NAME.test(sql) && given === undefined) {
      const hint = `write ${SQL_FILE}: ${sql.trim()}`;
      this.source.report('SL205', [...path, key.holds], `'${key.holds}' is '${sql.trim()}': the name of a file, not SQL.`, hint);
    }
    if (given === undefined) return inside;
    if (typeof given === 'string') return this.replace(inside, given, key.holds, path);
    this.source.expectNone([...path, key.holds]);
    return inside;
  }

  /** The keys of a map, with the text of the file in place of its name. */
  private replace(keys: JsonObject, given: string, holds: string, path: Path): JsonObject {
    const others = Object.fromEntries(Object.entries(keys).filter(([key]) => key !== SQL_FILE));
    const at = [...path, SQL_FILE];
    if (keys[holds] !== undefined) {
      this.source.reportKey('SL208', at, `'${SQL_FILE}' and '${holds}' exclude each other.`, 'keep one of them');
      return others;
    }
    const fail = (message: string, hint?: string): JsonObject => {
      this.source.report('SL113', at, message, hint);
      this.source.expectNone([...path, holds]);
      return others;
    };
    if (given.includes('{{'))
      return fail(
        `'${SQL_FILE}' does not accept expressions: the file is read when the pipeline is compiled.`,
        'write expressions in the file instead',
      );
    if (!this.readBeside)
      return fail(`'${SQL_FILE}' needs a folder, but this pipeline is not read from one.`, `write the SQL: \`${holds}: …\``);
    const read = this.readBeside(given);
    if ('refused' in read) return fail(read.refused, read.hint);
    this.characters += read.text.length;
    if (this.characters > MAX_BYTES)
      return fail(
        `With its SQL files, the pipeline has more than ${MAX_BYTES.toLocaleString('en')} characters.`,
        'keep data out of pipelines: put it into a table or S3',
      );
    this.source.include([...path, holds], at, read);
    return { ...others, [holds]: read.text };
  }
}

const FILE_NAME = /^\s*[\w./-]+\.(?:sql|hql)\s*$/i;

function describedBy(schema: unknown): readonly JsonSchema[] {
  if (!isMap(schema)) return [];
  const branches = Array.isArray(schema.anyOf) ? (schema.anyOf as readonly unknown[]) : [];
  return [schema, ...branches].filter((each): each is JsonObject => isMap(each));
}

/** Returns a copy of a value with another part at `path`. */
export function put(value: Json | undefined, [step, ...rest]: Path, part: Json | undefined): Json | undefined {
  if (step === undefined) return part;
  if (typeof step === 'number')
    return (value as readonly Json[]).map((each, index) => (index === step ? (put(each, rest, part) as Json) : each));
  const map = value as JsonObject;
  return { ...map, [step]: put(map[step], rest, part) };
}
