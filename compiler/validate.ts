import type { TaskType } from '../activities/define-task.ts';
import type { TriggerType } from '../sensors/define-trigger.ts';
import { isMap, type JsonObject } from '../workflows/plan/values/json.ts';
import { checkNumbers } from './check/check-numbers.ts';
import { didYouMean } from './mistakes/diagnostic.ts';
import { explainError } from './mistakes/explain-error.ts';
import type { Place } from './mistakes/place.ts';
import { showValue } from './mistakes/show-value.ts';
import { isMistyped } from './mistakes/unknown-key.ts';
import { foreignTriggerHint, foreignTypeHint } from './mistakes/foreign-types.ts';
import { SQL_FILE } from './read/include-files.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { DEFAULT_KEYS, defaultsSchema } from './schema/defaults-schema.ts';
import { type Catalogs, pipelineSchema } from './schema/pipeline-schema.ts';
import { shownExamples } from './schema/shown-example.ts';
import { SchemaChecker } from './schema-checker.ts';
import { COMMON_TASK_KEYS } from './schema/task-keys.ts';
import type { Path, Source } from './read/source.ts';
import type { TaskNode } from './resolve/task-node.ts';

/** Validates a pipeline against the schema, and reports each mistake once, in words for analysts. */
export class Validator {
  readonly schema: JsonSchema;
  private readonly checker: SchemaChecker;
  private defaultsChecker: SchemaChecker | undefined;
  private readonly known: { readonly task: ReadonlySet<string>; readonly trigger: ReadonlySet<string> };
  private readonly paramKeys: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly catalogs: Catalogs) {
    this.schema = pipelineSchema(catalogs);
    this.checker = new SchemaChecker(this.schema);
    this.known = { task: new Set(catalogs.tasks.map(({ type }) => type)), trigger: new Set(catalogs.triggers.map(({ type }) => type)) };
    this.paramKeys = new Map(catalogs.tasks.map(({ type, params }) => [type, Object.keys(params.properties)]));
  }

  /** Reports into `source` the schema mistakes of `value`, whose tasks are `nodes`. */
  validate(source: Source, value: JsonObject, nodes: readonly TaskNode[]): void {
    this.run('/definitions/file', source, value, { kind: 'pipeline', path: [], examples: this.examplesIn(this.schema) });
    for (const node of nodes) this.validateTask(source, node);
    for (const [index, trigger] of (Array.isArray(value.triggers) ? value.triggers : []).entries()) {
      if (isMap(trigger)) this.validateTrigger(source, trigger, ['triggers', index]);
    }
    checkNumbers(source, value);
  }

  /** The JSON Schema of `defaults.yaml` files. */
  get defaultsSchema(): JsonSchema {
    return defaultsSchema(this.schema);
  }

  /** Reports into `source` the schema mistakes of a `defaults.yaml`. */
  validateDefaults(source: Source, value: JsonObject): void {
    const properties = this.schema.properties as JsonObject;
    const isOwn = (key: string): boolean => Object.hasOwn(properties, key) && !DEFAULT_KEYS.has(key);
    for (const key of Object.keys(value).filter(isOwn)) {
      const hint = `keys with defaults: ${[...DEFAULT_KEYS].join(', ')}`;
      source.reportKey('SL201', [key], `'${key}' cannot have a default: each pipeline sets it.`, hint);
    }
    const others = Object.fromEntries(Object.entries(value).filter(([key]) => !isOwn(key)));
    this.defaultsChecker ??= new SchemaChecker(this.defaultsSchema);
    const place: Place = { kind: 'pipeline', path: [], examples: this.examplesIn(this.schema) };
    for (const error of this.defaultsChecker.check('/definitions/file', others)) explainError(source, error, place);
    checkNumbers(source, others);
  }

  private validateTask(source: Source, { keys, path }: TaskNode): void {
    if (Object.keys(keys).length === 0) return; // not a map: reported by the frame
    const { type } = keys;
    const place: Place = {
      kind: 'task',
      path,
      ...(typeof type === 'string' && { type }),
      elsewhere: (key) => this.typesWith(key),
      examples: this.examplesIn(this.definitions[`task_${String(type)}`]),
    };
    const pointer = this.definition(source, 'task', type, place, keys);
    if (pointer === undefined) return;
    const fits = this.run(pointer, source, keys, place);
    const taskType = this.catalogs.tasks.find((each) => each.type === type);
    if (!taskType) return;
    checkExclusive(source, taskType, keys, path, [...COMMON_TASK_KEYS, ...(this.paramKeys.get(taskType.type) ?? [])]);
    if (!fits) return;
    checkTogether(source, taskType, keys, path);
    checkNarrowed(source, taskType, keys, place);
  }

  private validateTrigger(source: Source, trigger: JsonObject, path: Path): void {
    const { type } = trigger;
    const place: Place = {
      kind: 'trigger',
      path,
      ...(typeof type === 'string' && { type }),
      examples: this.examplesIn(this.definitions[`trigger_${String(type)}`]),
    };
    const pointer = this.definition(source, 'trigger', type, place, trigger);
    if (pointer === undefined) return;
    this.run(pointer, source, trigger, place);
    const triggerType = this.catalogs.triggers.find((each) => each.type === type);
    if (triggerType) checkExclusive(source, triggerType, trigger, path, ['name', 'type', ...Object.keys(triggerType.params.properties)]);
  }

  /** Finds the schema of a task or trigger type, or returns undefined after reporting an unknown type. */
  private definition(source: Source, kind: 'task' | 'trigger', type: unknown, { path }: Place, keys: JsonObject): string | undefined {
    const known = this.known[kind];
    if (type === undefined) {
      if (!isMistyped('type', keys, ['name', 'type'])) {
        source.reportInside('SL202', path, `'type' is missing in this ${kind}.`, `for example \`type: ${[...known][0]}\``);
      } else {
        for (const key of Object.keys(keys)) {
          if (isMistyped('type', { [key]: 0 }, ['name', 'type']))
            source.reportKey('SL201', [...path, key], `Unknown key '${key}'.`, `use 'type'`);
        }
      }
      return undefined;
    }
    if (typeof type !== 'string') {
      source.report('SL203', [...path, 'type'], `'type' must be text, not ${showValue(type)}.`);
      return undefined;
    }
    if (known.has(type)) return `/definitions/${kind}_${type}`;
    source.report(
      'SL207',
      [...path, 'type'],
      kind === 'task' ? `Unknown task type '${type}'.` : `Unknown trigger type '${type}'.`,
      (kind === 'task' ? foreignTypeHint(type, known) : foreignTriggerHint(type)) ??
        didYouMean(type, known) ??
        `types: ${[...known].join(', ')}`,
    );
    return undefined;
  }

  /** Validates a value and reports mistakes. @returns whether it is valid */
  private run(pointer: string, source: Source, value: JsonObject, place: Place): boolean {
    const errors = this.checker.check(pointer, value);
    for (const error of errors) {
      const { isFull } = source;
      explainError(source, error, place);
      if (isFull) break;
    }
    return errors.length === 0;
  }

  private get definitions(): Readonly<Record<string, JsonSchema | undefined>> {
    return this.schema.definitions as Readonly<Record<string, JsonSchema | undefined>>;
  }

  private examplesIn(part: JsonSchema | undefined): Place['examples'] {
    return (inner) => (part ? shownExamples(this.schema, part, inner) : []);
  }

  private typesWith(key: string): readonly string[] {
    return this.catalogs.tasks.filter(({ type }) => this.paramKeys.get(type)?.includes(key)).map(({ type }) => type);
  }
}

/** Reports mutually exclusive keys, and groups of keys of which none is set. */
function checkExclusive(
  source: Source,
  { exactlyOneOf = [] }: Pick<TaskType | TriggerType, 'exactlyOneOf'>,
  keys: JsonObject,
  path: Path,
  allowed: readonly string[],
): void {
  for (const group of exactlyOneOf) {
    const [first, second] = group.filter((key) => key in keys);
    if (first === undefined) {
      if (group.some((key) => source.isReported([...path, key]) || isMistyped(key, keys, allowed))) continue;
      const names = allowed.includes(SQL_FILE) ? [...group, SQL_FILE] : group;
      source.reportInside('SL208', path, `One of ${names.join(', ')} is missing in this ${path[0] === 'triggers' ? 'trigger' : 'task'}.`);
    } else if (second !== undefined) {
      const [one, other] = [second, first].map((key) => String(source.writtenAt([...path, key]).at(-1)));
      source.reportKey('SL208', [...path, second], `'${one}' and '${other}' exclude each other.`, 'keep one of them');
    }
  }
}

/** Reports mistakes against the schema that follows from the task's own parameters, such as those of an operation. */
function checkNarrowed(source: Source, taskType: TaskType, keys: JsonObject, place: Place): void {
  const narrowed = taskType.narrow?.(keys);
  if (!narrowed) return;
  for (const error of new SchemaChecker({ definitions: { narrowed: narrowed.params } }).check('/definitions/narrowed', keys))
    explainError(source, error, place);
}

/** Reports mistakes that the task type finds in combinations of valid keys. */
function checkTogether(source: Source, taskType: TaskType, task: JsonObject, path: Path): void {
  for (const { at, message, hint } of taskType.mistakes?.(task as never) ?? []) {
    if (source.isReported([...path, ...at])) continue;
    const last = at.at(-1);
    if (typeof last === 'string') source.reportKey('SL208', [...path, ...at], message, hint);
    else source.reportInside('SL208', [...path, ...at], message, hint);
  }
}
