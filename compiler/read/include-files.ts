import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { ReadBeside } from './read-beside.ts';
import { propertyOf } from '../expressions/find-templates.ts';
import { MAX_BYTES } from './parse.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { Path, Source } from './source.ts';
import { taskNodes } from '../resolve/task-node.ts';

/** The key that names an SQL file. */
export const SQL_FILE = 'sql_file';

/** How a key names a file whose text takes the place of another key. */
interface FileKey {
  /** What the file contains. */
  readonly content: string;
  /** The folder of the project that contains the file, which the key names without `.yaml`. Absent: a path from the pipeline's file. */
  readonly folder?: string;
}

/** The keys that name files; schemas define with `holds` which key contains the text. */
const FILE_KEYS: Readonly<Record<string, FileKey>> = {
  [SQL_FILE]: { content: 'SQL' },
  xsd_file: { content: 'XML Schema' },
  route: { content: 'route', folder: 'routes' },
};

/** The schemas of the parameters of tasks and triggers, by type. */
export interface ParamSchemas {
  readonly tasks: ReadonlyMap<string, { readonly params: unknown }>;
  readonly triggers: ReadonlyMap<string, { readonly params: unknown }>;
}

/**
 * Replaces each `sql_file`, and other keys that name files, by the text of the file, as if it were written in the pipeline. Mistakes in it are reported in that file.
 * @param readBeside reads a file; absent: no files can be read
 * @returns the file's value; unreadable files are reported and omitted
 */
export function includeFiles(source: Source, value: JsonObject, { tasks, triggers }: ParamSchemas, readBeside?: ReadBeside): JsonObject {
  if (!Object.keys(FILE_KEYS).some((key) => source.text.includes(key)) && !/\.(?:sql|hql)\b/i.test(source.text)) return value;
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
    return Object.keys(FILE_KEYS).reduce((keys, fileKey) => this.includeFile(keys, fileKey, schemaOf(fileKey), path), inside);
  }

  private includeFile(keys: JsonObject, fileKey: string, schema: unknown, path: Path): JsonObject {
    if (!isMap(schema) || typeof schema.holds !== 'string') return keys;
    const { holds } = schema;
    const [given, text] = [keys[fileKey], keys[holds]];
    // Airflow reads the file whose name stands in place of the SQL.
    if (fileKey === SQL_FILE && typeof text === 'string' && FILE_NAME.test(text) && given === undefined) {
      const hint = `write ${SQL_FILE}: ${text.trim()}`;
      this.source.report('SL205', [...path, holds], `'${holds}' is '${text.trim()}': the name of a file, not SQL.`, hint);
    }
    if (given === undefined && FILE_KEYS[fileKey]?.folder !== undefined && text !== undefined) {
      this.source.report(
        'SL113',
        [...path, holds],
        `'${holds}' cannot be written in a pipeline.`,
        `put it into a file and name that in '${fileKey}'`,
      );
      return Object.fromEntries(Object.entries(keys).filter(([key]) => key !== holds));
    }
    if (given === undefined) return keys;
    const isWrong = typeof given === 'string' && typeof schema.pattern === 'string' && !new RegExp(schema.pattern).test(given);
    if (typeof given === 'string' && !isWrong) return this.replace(keys, fileKey, given, holds, path);
    this.source.expectNone([...path, holds]);
    return keys;
  }

  /** The keys of a map, with the text of the file in place of its name. */
  private replace(keys: JsonObject, fileKey: string, given: string, holds: string, path: Path): JsonObject {
    const { content = 'text', folder } = FILE_KEYS[fileKey] ?? {};
    const others = Object.fromEntries(Object.entries(keys).filter(([key]) => key !== fileKey));
    const at = [...path, fileKey];
    if (keys[holds] !== undefined) {
      this.source.reportKey('SL208', at, `'${fileKey}' and '${holds}' exclude each other.`, 'keep one of them');
      return others;
    }
    const fail = (message: string, hint?: string): JsonObject => {
      this.source.report('SL113', at, message, hint);
      this.source.expectNone([...path, holds]);
      return others;
    };
    if (given.includes('{{'))
      return fail(
        `'${fileKey}' does not accept expressions: the file is read when the pipeline is compiled.`,
        folder === undefined ? 'write expressions in the file instead' : 'write the name itself',
      );
    if (!this.readBeside)
      return fail(
        `'${fileKey}' needs a folder, but this pipeline is not read from one.`,
        folder === undefined ? `write the ${content}: \`${holds}: …\`` : undefined,
      );
    const read = folder === undefined ? this.readBeside(given) : this.readBeside(`${given}.yaml`, folder);
    if ('refused' in read) return fail(read.refused, folder === undefined ? read.hint : read.hint?.replace(/\.yaml'/, "'"));
    this.characters += read.text.length;
    if (this.characters > MAX_BYTES)
      return fail(
        `With its files, the pipeline has more than ${MAX_BYTES.toLocaleString('en')} characters.`,
        'keep data out of pipelines: put it into a table or S3',
      );
    this.source.include([...path, holds], at, read);
    return { ...others, ...(folder !== undefined && { [fileKey]: given }), [holds]: read.text };
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
