import { typeName } from '../connections/catalog.ts';
import type { DeclaredResource } from '../resources/declared-resource.ts';
import { COMMON_KEYS, type ResourceType } from '../resources/define-resource.ts';
import { isTemplate } from '../workflows/plan/expressions/template.ts';
import { isMap, type Json, type JsonObject } from '../workflows/plan/values/json.ts';
import type { Context } from './check/check-context.ts';
import { checkNumbers } from './check/check-numbers.ts';
import { checkPolicy } from './check/check-policy.ts';
import type { PipelineFile } from './compile.ts';
import { byPlace, type Diagnostic, didYouMean } from './mistakes/diagnostic.ts';
import { explainError } from './mistakes/explain-error.ts';
import type { Place } from './mistakes/place.ts';
import { type FileKind, parse } from './read/parse.ts';
import type { ReadBeside } from './read/read-beside.ts';
import { type Path, Source } from './read/source.ts';
import type { FillIn } from './resolve/fill-in.ts';
import { resolveVars } from './resolve/resolve-vars.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { resourceSchema } from './schema/resource-schema.ts';
import { shownExamples } from './schema/shown-example.ts';
import { SchemaChecker } from './schema-checker.ts';

/** The result of compiling one resource file. */
export interface ResourceCompilation {
  readonly file: string;
  /** Absent when the file has mistakes. */
  readonly resources?: readonly DeclaredResource[];
  readonly filledIn: readonly FillIn[];
  readonly diagnostics: readonly Diagnostic[];
}

const RESOURCE_FILE: FileKind = { start: 'start with `resources:`', empty: 'a resource file has a list `resources`' };

/** Compiles resource files. Pure: the caller provides the files. A bad file does not affect the others. */
export class ResourceCompiler {
  readonly schema: JsonSchema;
  private readonly checker: SchemaChecker;

  constructor(private readonly types: readonly ResourceType[]) {
    this.schema = resourceSchema(types);
    this.checker = new SchemaChecker(this.schema);
  }

  /**
   * Compiles files: each on its own, then checks that no two declare the same resource.
   * @param context what is known about the installation; absent: nothing is checked against it
   */
  compileAll(files: readonly PipelineFile[], context: Context = {}): ResourceCompilation[] {
    const drafts = files.map((file) => {
      const source = new Source(file.file, file.text);
      const filledIn: FillIn[] = [];
      const { refused } = file;
      if (refused) source.reportAt(refused.code, 0, 1, refused.message);
      const entries = refused ? undefined : source.isolate(() => this.read(source, file, filledIn, context));
      return { source, filledIn, entries: entries ?? [], place: file.place ?? file.file };
    });
    const seen = new Map<string, string>();
    for (const { source, entries } of drafts)
      for (const [index, { type, connId, name }] of entries.entries()) {
        const key = JSON.stringify([type, connId, name]);
        const other = seen.get(key);
        if (other === undefined) seen.set(key, source.file);
        else
          source.report(
            'SL301',
            ['resources', index, 'name'],
            `The ${type} '${name}' is declared twice${other === source.file ? '' : `: also in ${other}`}.`,
            'remove one of them',
          );
      }
    return drafts.map(({ source, filledIn, entries }) => ({
      file: source.file,
      ...(source.errors === 0 && { resources: entries }),
      filledIn,
      diagnostics: [...source.diagnostics].sort(byPlace),
    }));
  }

  private read(source: Source, file: PipelineFile, filledIn: FillIn[], context: Context): readonly DeclaredResource[] {
    const written = parse(source, RESOURCE_FILE);
    if (!written) return [];
    const filled = resolveVars(source, written, file.environment, file.environments ?? [], filledIn);
    refuseTemplates(source, filled, []);
    const value = this.includeFiles(source, filled, file.readBeside);
    checkNumbers(source, value);
    const examples =
      (part: JsonSchema | undefined): Place['examples'] =>
      (inner) =>
        part ? shownExamples(this.schema, part, inner) : [];
    this.check(source, '/definitions/file', value, { kind: 'file', path: [], examples: examples(this.schema) });
    const list = Array.isArray(value.resources) ? (value.resources as readonly Json[]) : [];
    return list.flatMap((keys, index): DeclaredResource[] => {
      if (!isMap(keys)) return [];
      const path = ['resources', index];
      const type = this.typeOf(source, keys, path);
      if (!type) return [];
      const definition = (this.schema.definitions as Record<string, JsonSchema>)[`resource_${type.type}`];
      const place: Place = { kind: 'resource', path, type: type.type, examples: examples(definition) };
      const isValid = this.check(source, `/definitions/resource_${type.type}`, keys, place);
      for (const { at, message, hint } of isValid ? (type.mistakes?.(keys) ?? []) : [])
        source.report('SL208', [...path, ...at], message, hint);
      const { name, conn_id: connection } = keys;
      const own = Object.fromEntries(Object.entries(keys).filter(([key]) => !COMMON_KEYS.includes(key)));
      const connId = typeof connection === 'string' ? connection : type.connection.default;
      const at = [...path, connection === undefined ? 'type' : 'conn_id'];
      checkConnection(source, connId, at, type, context);
      const { place: folder } = file;
      if (context.policy && folder !== undefined) {
        const used = [{ name: connId, path: at }, ...namedConnections(own, path)];
        checkPolicy(source, { place: folder, value: {}, nodes: [], connections: used, readByExpressions: [] }, context.policy);
      }
      return [{ type: type.type, connId, name: String(name), keys: own, file: file.place ?? file.file }];
    });
  }

  /** Replaces keys that name a file, such as `schema_file`, by its text. */
  private includeFiles(source: Source, value: JsonObject, readBeside: ReadBeside | undefined): JsonObject {
    if (!Array.isArray(value.resources)) return value;
    const resources = (value.resources as readonly Json[]).map((keys, index) => {
      const file = isMap(keys) ? this.types.find(({ type }) => type === keys.type)?.file : undefined;
      return file && isMap(keys) ? includeFile(source, file, keys, ['resources', index], readBeside) : keys;
    });
    return { ...value, resources };
  }

  private check(source: Source, pointer: string, value: JsonObject, place: Place): boolean {
    const errors = this.checker.check(pointer, value);
    for (const error of errors) explainError(source, error, place);
    return errors.length === 0;
  }

  private typeOf(source: Source, { type }: JsonObject, path: Path): ResourceType | undefined {
    const names = this.types.map((each) => each.type);
    const found = this.types.find((each) => each.type === type);
    if (found) return found;
    const known = `types: ${names.join(', ')}`;
    if (type === undefined) source.reportInside('SL202', path, `'type' is missing in this resource.`, known);
    else source.report('SL207', [...path, 'type'], `Unknown resource type '${String(type)}'.`, didYouMean(String(type), names) ?? known);
    return undefined;
  }
}

/** Replaces the key that names a file by its text. Reports a missing file, and keys that exclude each other. */
function includeFile(
  source: Source,
  { key, holds }: NonNullable<ResourceType['file']>,
  keys: JsonObject,
  path: Path,
  readBeside: ReadBeside | undefined,
): JsonObject {
  const given = keys[key];
  if (given === undefined) {
    if (keys[holds] === undefined) source.reportInside('SL208', path, `One of ${holds}, ${key} is missing in this resource.`);
    return keys;
  }
  if (keys[holds] !== undefined)
    source.reportKey('SL208', [...path, key], `'${key}' and '${holds}' exclude each other.`, 'keep one of them');
  if (typeof given !== 'string') return keys;
  const read = readBeside?.(given);
  if (!read) return keys;
  if ('refused' in read) {
    source.report('SL113', [...path, key], read.refused, read.hint);
    return keys;
  }
  source.include([...path, holds], [...path, key], read);
  return Object.fromEntries(Object.entries({ ...keys, [holds]: read.text }).filter(([name]) => name !== key));
}

/** Expressions are evaluated in runs, and resources have none. */
function refuseTemplates(source: Source, value: Json, path: Path): void {
  if (Array.isArray(value)) for (const [index, each] of value.entries()) refuseTemplates(source, each as Json, [...path, index]);
  else if (isMap(value)) for (const [key, each] of Object.entries(value)) refuseTemplates(source, each as Json, [...path, key]);
  else if (typeof value === 'string' && isTemplate(value) && !source.isReported(path))
    source.report(
      'SL508',
      path,
      'A resource has no run, so only `{{ vars.… }}` is possible here.',
      'write the value, or a variable of the environment',
    );
}

/** The connections that keys name besides that of the resource, such as those with the passwords of a connector. */
function namedConnections(value: Json, path: Path): { readonly name: string; readonly path: Path }[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => namedConnections(each as Json, [...path, index]));
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === 'conn_id' && typeof each === 'string' ? [{ name: each, path: [...path, key] }] : namedConnections(each as Json, [...path, key]),
  );
}

/** Warns of a connection that this machine does not define, and refuses one of the wrong type. */
function checkConnection(source: Source, name: string, path: Path, type: ResourceType, { connections, connectionTypes }: Context): void {
  const allowed = type.connection.types.map(typeName);
  const actual = connectionTypes?.get(name);
  if (actual !== undefined && !allowed.includes(actual)) {
    source.report(
      'SL408',
      path,
      `Connection '${name}' is of type ${actual}; a ${type.type} needs ${allowed.join(' or ')}.`,
      `name a connection of type ${allowed[0]}, such as ${type.connection.default}`,
    );
  } else if (connections && !connections.has(name) && path.at(-1) === 'conn_id') {
    source.report(
      'SL406',
      path,
      `Connection '${name}' is not defined on this machine.`,
      didYouMean(name, connections) ?? `define SLUICE_CONN_${name.toUpperCase()} where resources are applied`,
    );
  }
}
