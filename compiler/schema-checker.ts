import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { TEXT_FORMATS } from '../workflows/plan/values/text-formats.ts';
import { isTemplate } from '../workflows/plan/expressions/template.ts';
import { isMap, type JsonObject } from '../workflows/plan/values/json.ts';
import { OWN_KEYWORDS } from '../lib/schema-keywords.ts';
import type { JsonSchema } from './schema/json-schema.ts';

const ANYTHING = { type: 'object' };

interface Definition {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly outline: ValidateFunction;
}

/**
 * Validates maps against definitions of the schema with ajv, key by key. Compiles only the keys that a file uses, because compiling the
 * whole schema would take a small process longer than the rest of its work.
 */
export class SchemaChecker {
  private readonly ajv: Ajv;
  private readonly schema: JsonSchema;
  private readonly definitions = new Map<string, Definition>();
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(schema: JsonSchema) {
    this.ajv = new Ajv({
      allErrors: true,
      allowUnionTypes: true,
      verbose: true,
      strictTypes: false,
      strictRequired: false,
      // Each function runs only a few times, so optimizing it is not worthwhile.
      code: { optimize: false },
      inlineRefs: false,
      // The schema is generated, and a test validates it against draft 07, so processes need not do so at startup.
      validateSchema: false,
      keywords: [...OWN_KEYWORDS, 'discriminator'],
      formats: TEXT_FORMATS,
    });
    const { definitions, ...file } = schema;
    // Tasks, triggers and resources in a list are validated one by one, each against its own type. The file's own keys are a definition like the
    // others, because ajv compiles the root of a schema before anything inside it.
    this.schema = { definitions: { ...(definitions as object), task: ANYTHING, trigger: ANYTHING, resource: ANYTHING, file } };
    this.ajv.addSchema(this.schema, 'pipeline');
  }

  /**
   * Validates a map.
   * @param pointer of its schema: `/definitions/file` for a whole file, `/definitions/task_http` for a task
   */
  check(pointer: string, map: JsonObject): ErrorObject[] {
    const { properties, outline } = this.definition(pointer);
    const errors = outline(map) ? [] : relevant(outline.errors ?? []);
    for (const [key, value] of Object.entries(map)) {
      const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (!property || property.const !== undefined) continue;
      const check = this.compile(typeof property.$ref === 'string' ? property.$ref.slice(1) : `${pointer}/properties/${key}`);
      if (check(value)) continue;
      // Keys in the schema contain no characters that a JSON pointer must escape.
      errors.push(...relevant(check.errors ?? []).map((error) => ({ ...error, instancePath: `/${key}${error.instancePath}` })));
    }
    return errors;
  }

  /** The schema of each key, and a check of everything except their values: unknown and missing keys. */
  private definition(pointer: string): Definition {
    let known = this.definitions.get(pointer);
    if (!known) {
      const schema = this.at(pointer);
      const properties = isMap(schema.properties) ? (schema.properties as Readonly<Record<string, JsonSchema>>) : {};
      known = { properties, outline: this.ajv.compile({ ...schema, properties: this.examplesOf(properties) }) };
      this.definitions.set(pointer, known);
    }
    return known;
  }

  /** Compiles the schema at `pointer`. */
  private compile(pointer: string): ValidateFunction {
    const known = this.compiled.get(pointer);
    if (known) return known;
    const check = this.ajv.getSchema(`pipeline#${pointer}`);
    if (!check) throw new Error(`The schema has nothing at ${pointer}`);
    this.compiled.set(pointer, check);
    return check;
  }

  /** The parts of each key's schema that messages need: examples and forms. */
  private examplesOf(properties: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
    return Object.fromEntries(
      Object.entries(properties).map(([key, property]) => {
        const { examples, formerly, connection } = typeof property.$ref === 'string' ? this.at(property.$ref.slice(1)) : property;
        const details = { ...(examples !== undefined && { examples }), ...(formerly !== undefined && { formerly }) };
        return [key, { ...details, ...(connection !== undefined && { connection }) }];
      }),
    );
  }

  private at(pointer: string): JsonSchema {
    return pointer
      .split('/')
      .slice(1)
      .reduce<JsonSchema>((schema, step) => schema[step] as JsonSchema, this.schema);
  }
}

/**
 * Keeps only informative errors. A text with expressions has a value only in a run, so its type and form are not checked here; the compiler
 * checks its type separately. If several forms are allowed, errors of the form that the value resembles are kept.
 */
function relevant(errors: readonly ErrorObject[]): ErrorObject[] {
  const relevant = errors.filter(({ data, propertyName }) => propertyName === undefined && (typeof data !== 'string' || !isTemplate(data)));
  const choices = relevant.filter(({ keyword, schema }) => keyword === 'anyOf' && !isClosedSet(schema));
  const others = new Set(choices.flatMap((choice) => otherBranches(choice, relevant)));
  return relevant.filter((error) => {
    if (others.has(error)) return false;
    const choice = choices.find(
      ({ instancePath, schemaPath }) => error.instancePath === instancePath && error.schemaPath.startsWith(`${schemaPath}/`),
    );
    if (choice) return error.keyword !== 'type' && error.keyword !== 'const';
    if (isClosedSet(error.parentSchema?.anyOf) && error.keyword === 'const') return false;
    if (!choices.includes(error)) return true;
    const inside = relevant.filter(
      (each) => each !== error && each.instancePath.startsWith(error.instancePath) && each.schemaPath !== error.schemaPath,
    );
    return !inside.some((each) => each.instancePath !== error.instancePath || !['type', 'const'].includes(each.keyword));
  });
}

/** The errors of all other branches of a choice, if the keys of a map belong to one branch, which only refuses a value in it. */
function otherBranches({ instancePath, schemaPath, schema }: ErrorObject, errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const branches = (schema as readonly unknown[]).map((_, index) =>
    errors.filter((error) => error.schemaPath.startsWith(`${schemaPath}/${index}/`)),
  );
  const isMeant = (branch: readonly ErrorObject[]): boolean =>
    branch.length > 0 && branch.every((error) => error.instancePath.length > instancePath.length);
  return branches.filter(isMeant).length === 1 ? branches.filter((branch) => !isMeant(branch)).flat() : [];
}

function isClosedSet(branches: unknown): boolean {
  return Array.isArray(branches) && branches.every((branch: { const?: unknown }) => branch.const !== undefined);
}
