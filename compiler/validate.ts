import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TaskType } from '../activities/define-task.ts';
import { DURATION_HELP, parseDuration } from '../workflows/plan/duration.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import { isTimeZone } from '../workflows/plan/time-zone.ts';
import { didYouMean, nearest } from './diagnostic.ts';
import { FOREIGN_KEYS, PLANNED } from './planned.ts';
import { COMMON_TASK_KEYS, type JsonSchema, pipelineSchema } from './schema.ts';
import type { Path, Source } from './source.ts';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** Checks a pipeline against the schema and reports each mistake once, in the analyst's words. */
export class Validator {
  readonly schema: JsonSchema;
  private readonly check: ValidateFunction;
  private readonly paramKeys: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly catalog: readonly TaskType[]) {
    this.schema = pipelineSchema(catalog);
    const ajv = new Ajv({
      allErrors: true,
      discriminator: true,
      allowUnionTypes: true,
      verbose: true,
      strictTypes: false,
      keywords: ['form'],
    });
    ajv.addFormat('duration', (text: string) => (parseDuration(text) ?? 0) > 0);
    ajv.addFormat('time-zone', isTimeZone);
    ajv.addFormat('iso-date', (text: string) => ISO_DATE.test(text) && !Number.isNaN(Date.parse(text)));
    this.check = ajv.compile(this.schema);
    this.paramKeys = new Map(catalog.map(({ type, params }) => [type, Object.keys(params.properties)]));
  }

  /** Reports into `source` what the schema refuses in `value`. */
  validate(source: Source, value: JsonObject): void {
    if (!this.check(value)) for (const error of this.check.errors ?? []) this.explain(source, error);
    for (const [index, task] of (Array.isArray(value.tasks) ? value.tasks : []).entries()) {
      this.checkExclusive(source, index, task);
      refuseExpressions(source, ['tasks', index], task);
    }
  }

  private explain(source: Source, error: ErrorObject): void {
    const path = pathOf(error.instancePath);
    const where = JSON.stringify(path.at(-1) ?? 'the file').replace(/"/g, "'");
    const params = error.params as Record<string, unknown>;
    const given = show(error.data);
    switch (error.keyword) {
      case 'additionalProperties':
        return this.unknownKey(source, [...path, String(params.additionalProperty)], error);
      case 'required': {
        const missing = String(params.missingProperty);
        if (mistyped(missing, error.data, Object.keys(propertiesOf(error)))) return; // reported where the wrong word stands
        return source.reportInside(
          'SL202',
          path,
          `'${missing}' is missing${isTask(path) ? ' in this task' : ''}.`,
          exampleOf(error, missing),
        );
      }
      case 'type':
        return source.report('SL203', path, `${where} must be ${typeName(params.type)}, not ${given}.`, typeHint(params.type, error.data));
      case 'discriminator':
        return this.unknownType(source, path, error);
      case 'enum': {
        const allowed = params.allowedValues as readonly unknown[];
        return source.report(
          'SL204',
          path,
          `${where} is ${given}; allowed: ${allowed.join(', ')}.`,
          didYouMean(String(error.data), allowed.map(String)),
        );
      }
      case 'anyOf': {
        // A closed set of values, as TypeBox writes it.
        const allowed = (error.schema as readonly { const?: unknown }[]).map((branch) => branch.const);
        if (allowed.includes(undefined)) return source.report('SL205', path, `${where} ${error.message ?? 'is wrong'}.`);
        return source.report(
          'SL204',
          path,
          `${where} is ${given}; allowed: ${allowed.join(', ')}.`,
          didYouMean(String(error.data), allowed.map(String)),
        );
      }
      case 'pattern':
      case 'format':
        return source.report('SL205', path, `${where} is ${given}${formOf(error)}.`);
      case 'minimum':
      case 'maximum':
      case 'exclusiveMinimum':
      case 'exclusiveMaximum':
      case 'minLength':
      case 'maxLength':
      case 'minItems':
      case 'maxItems':
      case 'uniqueItems':
        return source.report(
          'SL206',
          path,
          `${where} ${error.message?.replace(/^must NOT/, 'must not') ?? 'is out of range'}; given: ${given}.`,
        );
      default:
        // `oneOf` and the like only repeat what the branch itself has reported.
        if (!['oneOf', 'allOf', 'if', 'const'].includes(error.keyword))
          source.report('SL205', path, `${where} ${error.message ?? 'is wrong'}.`);
    }
  }

  private unknownKey(source: Source, path: Path, error: ErrorObject): void {
    const key = String(path.at(-1));
    const parent = path.slice(0, -1);
    const allowed = Object.keys(propertiesOf(error));
    const planned: readonly string[] =
      parent.length === 0
        ? PLANNED.pipeline
        : parent[0] === 'schedule'
          ? PLANNED.schedule
          : isTask(parent)
            ? PLANNED.task
            : parent[0] === 'default_args'
              ? PLANNED.task
              : [];
    if (planned.includes(key)) {
      return source.reportKey(
        'SL901',
        path,
        `'${key}' is part of the pipeline language, and this release cannot carry it out yet.`,
        'remove it for now',
      );
    }
    const foreign = FOREIGN_KEYS[key];
    const hint =
      foreign !== undefined && allowed.includes(foreign)
        ? `the word here is '${foreign}'`
        : (didYouMean(key, allowed) ?? this.belongsTo(key, parent, error));
    source.reportKey('SL201', path, `Unknown key '${key}'${placeName(parent, error.data)}.`, hint ?? `allowed: ${allowed.join(', ')}`);
  }

  /** Where a key would have been right: one level up or down, or in another task type. */
  private belongsTo(key: string, parent: Path, error: ErrorObject): string | undefined {
    if (!isTask(parent)) return COMMON_TASK_KEYS.has(key) ? `'${key}' belongs to a task or to default_args` : undefined;
    const own = (error.data as { type?: unknown }).type;
    const types = this.catalog.filter((taskType) => this.paramKeys.get(taskType.type)?.includes(key)).map(({ type }) => type);
    if (types.length > 0)
      return `'${key}' belongs to ${types.join(', ')}; a task of type ${String(own)} has: ${this.paramKeys.get(String(own))?.join(', ')}`;
    return undefined;
  }

  private unknownType(source: Source, path: Path, error: ErrorObject): void {
    const given = (error.data as { type?: unknown }).type;
    if (given === undefined) return; // reported as a missing key
    const at = [...path, 'type'];
    if (typeof given !== 'string') return source.report('SL203', at, `'type' must be a string, not ${show(given)}.`);
    const types = [...this.paramKeys.keys()];
    if ((PLANNED.taskType as readonly string[]).includes(given)) {
      return source.report(
        'SL901',
        at,
        `Task type '${given}' is part of the pipeline language, and this release cannot carry it out yet.`,
        `this release has: ${types.join(', ')}`,
      );
    }
    source.report('SL207', at, `There is no task type '${given}'.`, didYouMean(given, types) ?? `registered: ${types.join(', ')}`);
  }

  private checkExclusive(source: Source, index: number, task: unknown): void {
    if (typeof task !== 'object' || task === null || Array.isArray(task)) return;
    const taskType = this.catalog.find(({ type }) => type === (task as { type?: unknown }).type);
    for (const group of taskType?.exactlyOneOf ?? []) {
      const present = group.filter((key) => key in task);
      const second = present[1];
      if (present.length === 0) {
        const allowed = [...COMMON_TASK_KEYS, ...(this.paramKeys.get(String(taskType?.type)) ?? [])];
        if (group.some((key) => mistyped(key, task, allowed))) continue;
        source.reportInside('SL208', ['tasks', index], `One of ${group.join(', ')} is missing in this task.`);
      } else if (second !== undefined) {
        source.reportKey('SL208', ['tasks', index, second], `'${second}' and '${present[0]}' exclude each other.`, 'keep one of them');
      }
    }
  }
}

function propertiesOf(error: ErrorObject): Record<string, { examples?: readonly unknown[] }> {
  return (error.parentSchema as { properties?: Record<string, { examples?: readonly unknown[] }> }).properties ?? {};
}

/** Whether one of the keys of `data` is not allowed and was most likely meant to be `missing`. */
function mistyped(missing: string, data: unknown, allowed: readonly string[]): boolean {
  return Object.keys(data ?? {}).some(
    (key) => !allowed.includes(key) && (FOREIGN_KEYS[key] === missing || nearest(key, allowed) === missing),
  );
}

/** Expressions come with a later release; until then their braces would silently be text. */
function refuseExpressions(source: Source, path: Path, value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('{{'))
      source.report('SL901', path, 'Expressions in {{ }} are part of the pipeline language, and this release cannot carry them out yet.');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) refuseExpressions(source, [...path, Array.isArray(value) ? Number(key) : key], part);
  }
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function isTask(path: Path): boolean {
  return path.length === 2 && path[0] === 'tasks';
}

function placeName(parent: Path, data: unknown): string {
  if (isTask(parent)) return ` in a ${String((data as { type?: unknown }).type)} task`;
  return parent.length > 0 ? ` in '${parent.join('.')}'` : '';
}

function show(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  return `'${text.length > 60 ? `${text.slice(0, 59)}…` : text}'`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'null',
};

function typeName(type: unknown): string {
  const types = Array.isArray(type) ? type : [type];
  return types.map((each) => TYPE_NAMES[String(each)] ?? String(each)).join(' or ');
}

function typeHint(type: unknown, data: unknown): string | undefined {
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean')) return `put it in quotes: "${String(data)}"`;
  if (type === 'array' && typeof data === 'string') return `write it as a list: [${data}]`;
  if ((type === 'integer' || type === 'number') && typeof data === 'string' && /^\d+$/.test(data)) return `leave the quotes out: ${data}`;
  return undefined;
}

function exampleOf(error: ErrorObject, key: string): string | undefined {
  const example = propertiesOf(error)[key]?.examples?.[0];
  return example === undefined ? undefined : `for example \`${key}: ${typeof example === 'string' ? example : JSON.stringify(example)}\``;
}

function formOf(error: ErrorObject): string {
  const params = error.params as { format?: string; pattern?: string };
  switch (params.format) {
    case 'duration':
      return `, which is not ${DURATION_HELP}`;
    case 'time-zone':
      return ', which is not a time zone such as UTC or Europe/Berlin';
    case 'iso-date':
      return ', which is not a date such as 2024-01-31 or 2024-01-31T06:00';
    default:
  }
  const schema = error.parentSchema as { form?: string; examples?: readonly unknown[] } | undefined;
  const example = schema?.examples?.[0];
  return `; it must be ${schema?.form ?? `of the form ${params.pattern ?? params.format}`}${example === undefined ? '' : `, such as ${String(example)}`}`;
}
