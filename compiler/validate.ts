import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parseDuration } from '../workflows/plan/duration.ts';
import { isTemplate } from '../workflows/plan/expressions/template.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import { isTimeZone } from '../workflows/plan/time-zone.ts';
import { didYouMean } from './diagnostic.ts';
import { explainError, isMistyped, type Place, showValue } from './explain-error.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { type Catalogs, pipelineSchema } from './schema/pipeline-schema.ts';
import { COMMON_TASK_KEYS } from './schema/task-keys.ts';
import type { Path, Source } from './source.ts';
import { isMap, type TaskNode } from './task-node.ts';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/;
const ANYTHING = { type: 'object' };

/** Checks a pipeline against the schema and reports each mistake once, in the analyst's words. */
export class Validator {
  readonly schema: JsonSchema;
  private readonly ajv: Ajv;
  private readonly frame: ValidateFunction;
  private readonly definitions = new Map<string, ValidateFunction>();
  private readonly known: { readonly task: ReadonlySet<string>; readonly trigger: ReadonlySet<string> };
  private readonly paramKeys: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly catalogs: Catalogs) {
    this.schema = pipelineSchema(catalogs);
    this.ajv = new Ajv({
      allErrors: true,
      discriminator: true,
      allowUnionTypes: true,
      verbose: true,
      strictTypes: false,
      strictRequired: false,
      // Checked once each, these functions are not worth optimizing: most of a short process would be spent on it.
      code: { optimize: false },
      inlineRefs: false,
      // The schema is generated, and a test holds it against draft 07: no process needs to do so again at its start.
      validateSchema: false,
      keywords: ['form', 'template', 'names'],
      formats: {
        duration: (text: string) => (parseDuration(text) ?? 0) > 0,
        'time-zone': isTimeZone,
        'iso-date': (text: string) => ISO_DATE.test(text) && !Number.isNaN(Date.parse(text)),
        uri: (text: string) => URL.canParse(text),
      },
    });
    this.ajv.addSchema(this.schema, 'pipeline');
    // Tasks and triggers are checked each against its own type: only the types that a file has are ever compiled.
    const definitions = { ...(this.schema.definitions as object), task: ANYTHING, trigger: ANYTHING };
    this.frame = this.ajv.compile({ ...this.schema, definitions });
    this.known = { task: new Set(catalogs.tasks.map(({ type }) => type)), trigger: new Set(catalogs.triggers.map(({ type }) => type)) };
    this.paramKeys = new Map(catalogs.tasks.map(({ type, params }) => [type, Object.keys(params.properties)]));
  }

  /** Reports into `source` what the schema refuses in `value`, whose tasks are `nodes`. */
  validate(source: Source, value: JsonObject, nodes: readonly TaskNode[]): void {
    this.run(this.frame, source, value, { kind: 'pipeline', path: [] });
    checkNumbers(source, value, []);
    for (const node of nodes) this.validateTask(source, node);
    for (const [index, trigger] of (Array.isArray(value.triggers) ? value.triggers : []).entries()) {
      if (isMap(trigger)) this.validateTrigger(source, trigger, ['triggers', index]);
    }
  }

  private validateTask(source: Source, { keys, path }: TaskNode): void {
    if (Object.keys(keys).length === 0) return; // not a map: reported by the frame
    const { type } = keys;
    const place: Place = {
      kind: 'task',
      path,
      ...(typeof type === 'string' && { type }),
      elsewhere: (key) => this.typesWith(key),
    };
    const check = this.definition(source, 'task', type, place, keys);
    if (!check) return;
    this.run(check, source, keys, place);
    this.checkExclusive(source, keys, path);
  }

  private validateTrigger(source: Source, trigger: JsonObject, path: Path): void {
    const { type } = trigger;
    const place: Place = { kind: 'trigger', path, ...(typeof type === 'string' && { type }) };
    const check = this.definition(source, 'trigger', type, place, trigger);
    if (check) this.run(check, source, trigger, place);
  }

  /** The check of one type of task or trigger, or undefined after reporting that there is no such type. */
  private definition(
    source: Source,
    kind: 'task' | 'trigger',
    type: unknown,
    { path }: Place,
    keys: JsonObject,
  ): ValidateFunction | undefined {
    const known = this.known[kind];
    if (type === undefined) {
      if (!isMistyped('type', keys, ['name', 'type'])) {
        source.reportInside('SL202', path, `'type' is missing in this ${kind}.`, `for example \`type: ${[...known][0]}\``);
      } else {
        for (const key of Object.keys(keys)) {
          if (isMistyped('type', { [key]: 0 }, ['name', 'type']))
            source.reportKey('SL201', [...path, key], `Unknown key '${key}'.`, `the word here is 'type'`);
        }
      }
      return undefined;
    }
    if (typeof type !== 'string') {
      source.report('SL203', [...path, 'type'], `'type' must be text, not ${showValue(type)}.`);
      return undefined;
    }
    const definition = `${kind}_${type}`;
    const compiled =
      this.definitions.get(definition) ?? (known.has(type) ? this.ajv.getSchema(`pipeline#/definitions/${definition}`) : undefined);
    if (compiled) {
      this.definitions.set(definition, compiled);
      return compiled;
    }
    source.report(
      'SL207',
      [...path, 'type'],
      kind === 'task' ? `There is no task type '${type}'.` : `There is no kind of trigger '${type}'.`,
      didYouMean(type, known) ?? `there are: ${[...known].join(', ')}`,
    );
    return undefined;
  }

  private run(check: ValidateFunction, source: Source, value: JsonObject, place: Place): void {
    if (check(value)) return;
    for (const error of relevant(check.errors ?? [])) explainError(source, error, place);
  }

  private typesWith(key: string): readonly string[] {
    return this.catalogs.tasks.filter(({ type }) => this.paramKeys.get(type)?.includes(key)).map(({ type }) => type);
  }

  private checkExclusive(source: Source, task: JsonObject, path: Path): void {
    const taskType = this.catalogs.tasks.find(({ type }) => type === task.type);
    for (const group of taskType?.exactlyOneOf ?? []) {
      const present = group.filter((key) => key in task);
      const second = present[1];
      if (present.length === 0) {
        const allowed = [...COMMON_TASK_KEYS, ...(this.paramKeys.get(String(taskType?.type)) ?? [])];
        if (group.some((key) => isMistyped(key, task, allowed))) continue;
        source.reportInside('SL208', path, `One of ${group.join(', ')} is missing in this task.`);
      } else if (second !== undefined) {
        source.reportKey('SL208', [...path, second], `'${second}' and '${present[0]}' exclude each other.`, 'keep one of them');
      }
    }
  }
}

/**
 * The errors that say something. A text with expressions has its value, and with it its type and form, only in a run; the compiler checks
 * its type by itself. Of several forms that are allowed, the one that was begun is the one that was meant.
 */
function relevant(errors: readonly ErrorObject[]): ErrorObject[] {
  const told = errors.filter(({ data, propertyName }) => propertyName === undefined && (typeof data !== 'string' || !isTemplate(data)));
  const choices = told.filter(({ keyword, schema }) => keyword === 'anyOf' && !isClosedSet(schema));
  return told.filter((error) => {
    const choice = choices.find(
      ({ instancePath, schemaPath }) => error.instancePath === instancePath && error.schemaPath.startsWith(`${schemaPath}/`),
    );
    if (choice) return error.keyword !== 'type' && error.keyword !== 'const';
    if (isClosedSet(error.parentSchema?.anyOf) && error.keyword === 'const') return false;
    if (!choices.includes(error)) return true;
    const inside = told.filter(
      (each) => each !== error && each.instancePath.startsWith(error.instancePath) && each.schemaPath !== error.schemaPath,
    );
    return !inside.some((each) => each.instancePath !== error.instancePath || !['type', 'const'].includes(each.keyword));
  });
}

function isClosedSet(branches: unknown): boolean {
  return Array.isArray(branches) && branches.every((branch: { const?: unknown }) => branch.const !== undefined);
}

/** Reports whole numbers that have been rounded already when they were read: JSON and most of its readers have no larger ones. */
function checkNumbers(source: Source, value: Json | undefined, path: Path): void {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(source.textAt(path))) {
      source.report(
        'SL210',
        path,
        'This whole number is too large to be kept exactly.',
        'put it in quotes; int(…) makes a number of it in expressions',
      );
    }
  } else if (Array.isArray(value)) {
    for (const [index, part] of (value as readonly Json[]).entries()) checkNumbers(source, part, [...path, index]);
  } else if (isMap(value)) {
    for (const [key, part] of Object.entries(value))
      if (typeof part === 'object' || typeof part === 'number') checkNumbers(source, part, [...path, key]);
  }
}
