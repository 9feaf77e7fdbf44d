import { stringify } from 'yaml';
import { CATALOG } from '../../activities/catalog.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Convert, Converted } from './argument-converters.ts';
import { convertOption, isNothing } from './convert-options.ts';
import { isJinja, translateJinja } from './jinja.ts';
import type { ImportedParam, JinjaNames } from './jinja-names.ts';
import { convertMapped } from './convert-mapped.ts';
import { className, mappingOf } from './operators/catalog.ts';
import type { OperatorMapping } from './operators/operator-mapping.ts';
import type { Report } from './report.ts';
import type { Fields, SourceTask } from './source-dag.ts';
import type { SourceValue } from './source-value.ts';

/** A task to write: its keys in order, and the comment above it. */
export interface WrittenTask {
  readonly keys: JsonObject;
  readonly comments: readonly string[];
}

/** The context for converting a task. */
export interface TaskContext {
  /** The task's name in the pipeline, and with its group in the report. */
  readonly name: string;
  readonly fullName: string;
  /** Arguments in `default_args` that only some operators accept. */
  readonly defaults: Fields;
  /** The names that its expressions may read. */
  readonly names: Omit<JinjaNames, 'task'>;
  /** The tasks that depend on it, by our names. */
  readonly followers: readonly string[];
  readonly dagName: (id: string) => string;
  readonly report: Report;
}

const MAX_COMMENT_LINES = 15;

/** Converts a task, without `depends_on`. A task whose work cannot be converted becomes `unfinished`, with the original in a comment. */
export function convertTask(task: SourceTask, context: TaskContext): WrittenTask {
  return new TaskConverter(task, context).convert();
}

class TaskConverter {
  private readonly comments: string[] = [];
  private readonly options: Record<string, Json> = {};
  private readonly keys: Record<string, Json> = {};
  /** Outcomes for the report on the operator's arguments, reported only if the task can do its work. */
  private readonly deferred: (() => void)[] = [];
  private readonly lost: string[] = [];
  /** Whether an argument is lost without which the task would do something else. */
  private isIncomplete = false;

  constructor(
    private readonly task: SourceTask,
    private readonly context: TaskContext,
  ) {}

  convert(): WrittenTask {
    const { task, context } = this;
    const mapping = task.operator === undefined ? undefined : mappingOf(task.operator);
    for (const [key, value] of Object.entries(mapping?.defaults ?? {})) if (value !== undefined) this.keys[key] = value;
    for (const [name, field] of this.fields(mapping)) {
      if (STRUCTURE.has(name) || field.value === null) continue;
      const option = convertOption(name, field.value);
      if (option) this.apply(name, field, option, this.options, (action) => action());
      else if (option === null && mapping) this.argument(name, field, mapping);
    }
    const mapped = mapping && this.mapped(mapping);
    const fault = mapping ? (mapped?.fault ?? this.fault(mapping)) : reasonWhyNone(task.operator, context.followers);
    if (fault !== undefined || !mapping) return this.asUnfinished(fault ?? '');
    context.report.kept(context.fullName, task.place, context.fullName);
    if (mapping.note !== undefined) context.report.changed(className(task.operator ?? ''), mapping.note, task.place, context.fullName);
    for (const action of this.deferred) action();
    const finished = mapping.finish?.(this.keys, context.name) ?? this.keys;
    return { keys: { name: context.name, type: mapping.type, ...finished, ...mapped?.keys, ...this.options }, comments: this.comments };
  }

  /** The fields of the task, preceded by those of `default_args` that its operator accepts. */
  private fields(mapping: OperatorMapping | undefined): Fields {
    const taken = mapping?.arguments ?? {};
    const defaults = [...this.context.defaults].filter(([name]) => name === 'trigger_rule' || Object.hasOwn(taken, name));
    const all = new Map([...defaults, ...this.task.fields]);
    // Keys follow the order of the table, not of the file.
    const known = Object.keys(taken).flatMap((name): [string, SourceValue][] => {
      const field = all.get(name);
      return field ? [[name, field]] : [];
    });
    return new Map([...known, ...all]);
  }

  private argument(name: string, field: SourceValue, mapping: OperatorMapping): void {
    if (mapping.ignored?.includes(name) || isNothing(field.value)) return;
    const convert = argumentOf(mapping, name);
    const converted: Converted = convert
      ? this.converted(name, field.value, convert)
      : { lost: `has no equivalent in a task of type ${mapping.type}` };
    // A guard that checks less than it does in Airflow would let tasks run that it should block.
    const isNeeded = mapping.guards === true || mapping.essential?.includes(name) === true;
    if ('lost' in converted && (convert || isNeeded)) this.lost.push(`${name} ${converted.lost}`);
    if ('lost' in converted && isNeeded) this.isIncomplete = true;
    this.apply(name, field, converted, this.keys, (action) => this.deferred.push(action));
  }

  private converted(name: string, value: Json, convert: Convert): Converted {
    const unknown: string[] = [];
    const own = this.task.fields.get('params')?.value;
    const names: JinjaNames = { ...this.context.names, task: this.context.name };
    const constants = isMap(own) ? own : {};
    const translated = translate(value, { names: withConstants(names, constants), isSql: name === 'sql' || name === 'query' }, unknown);
    return unknown.length > 0 ? { lost: `has ${[...new Set(unknown)].join('; ')}` } : convert(translated, this.context.dagName);
  }

  /** Converts `expand` of a task that is mapped over a literal list. */
  private mapped(mapping: OperatorMapping): { readonly keys?: JsonObject; readonly fault?: string } | undefined {
    const { value } = this.task.fields.get('expand') ?? {};
    if (!value) return undefined;
    const keys = convertMapped(value, (name, each) => {
      const convert = argumentOf(mapping, name);
      const converted = convert && this.converted(name, each, convert);
      return converted && 'keys' in converted ? converted.keys : undefined;
    });
    if (!keys) return { fault: 'it is mapped over a list: rewrite it with expand' };
    Object.assign(this.keys, keys.keys);
    return { keys: { expand: keys.expand } };
  }

  /** Why the task cannot do its work. */
  private fault({ needs = [] }: OperatorMapping): string | undefined {
    if (this.isIncomplete) return this.lost.join('; ');
    const missing = needs.filter((key) => this.keys[key] === undefined);
    if (missing.length === 0) return undefined;
    return this.lost.length > 0 ? this.lost.join('; ') : `the file has no value for ${missing.join(' and ')}`;
  }

  private apply(
    name: string,
    field: SourceValue,
    converted: Converted,
    keys: Record<string, Json>,
    inTime: (action: () => void) => void,
  ): void {
    const { report, fullName } = this.context;
    if ('lost' in converted) {
      inTime(() => {
        report.notKept(name, converted.lost, field.place, fullName);
        this.comments.push(`not kept: ${name} ${converted.lost}`, ...yamlLines({ [name]: field.value }));
      });
      return;
    }
    Object.assign(keys, converted.keys);
    const { why } = converted;
    inTime(() => (why === undefined ? report.kept(name, field.place, fullName) : report.changed(name, why, field.place, fullName)));
  }

  private asUnfinished(why: string): WrittenTask {
    const { task, context } = this;
    context.report.notKept(context.fullName, `is a placeholder that fails until it is written: ${why}`, task.place, context.fullName);
    const own = [...task.fields].filter(([name, { value }]) => convertOption(name, value) === null && value !== null && !isNothing(value));
    const was = {
      ...(task.operator !== undefined && { operator: task.operator }),
      ...Object.fromEntries(own.map(([name, { value }]) => [name, value])),
    };
    return {
      keys: { name: context.name, type: 'unfinished', missing: inWords(why), ...this.options },
      comments: [...this.comments, `not kept: ${why}. It was:`, ...yamlLines(was)],
    };
  }
}

/** A reason as text without expressions. */
export function inWords(why: string): string {
  return why
    .replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, ' ')
    .replace(/\{\{-?\s*([^]*?)\s*-?\}\}/g, '`$1`')
    .replaceAll('{{', '{ {')
    .slice(0, 1000);
}

/** Keys that are read elsewhere. */
const STRUCTURE: ReadonlySet<string> = new Set(['expand', 'inlets', 'outlets']);

/** Finds the converter of an operator argument: from its mapping, or unchanged if the task type has a key of the same name. */
function argumentOf({ type, arguments: known }: OperatorMapping, name: string): Convert | undefined {
  if (Object.hasOwn(known, name)) return known[name];
  const taken = CATALOG.find((each) => each.type === type)?.params.properties ?? {};
  return Object.hasOwn(taken, name) ? (value) => ({ keys: { [name]: value } }) : undefined;
}

/** `params` of a task are constant across runs. */
function withConstants(names: JinjaNames, constants: JsonObject): JinjaNames {
  const given = Object.entries(constants).flatMap(([name, value]): [string, ImportedParam][] =>
    typeof value === 'string' || typeof value === 'number' ? [[name, { name, kind: 'text', constant: String(value) }]] : [],
  );
  return { ...names, params: new Map([...names.params, ...given]) };
}

function reasonWhyNone(operator: string | undefined, followers: readonly string[]): string {
  if (operator === undefined) return 'the file names no operator';
  const name = className(operator);
  if (mappingOf(name)) return `${operator} is a class of yours, which may do more than the ${name} of Airflow: write a task for it`;
  if (/branch/i.test(name)) {
    const cases = followers
      .map((each, index) => `${index === 0 ? 'one' : index === 1 ? 'another' : `value_${index + 1}`}: [${each}]`)
      .join(', ');
    return `${name} chooses by code of yours: write an empty task with switch: {on: …, cases: {${cases}}}`;
  }
  if (/short_?circuit/i.test(name)) return `${name} stops by code of yours: write an empty task with when: …`;
  const what = /python|^task$|virtualenv/i.test(name) ? `${name} runs Python of yours` : `Sluice has nothing like ${name}`;
  return `${what}: write a task type for it, or a program that a task of type command runs`;
}

/** Translates the expressions in all texts of `value`; adds those that cannot be translated to `lost`. */
function translate(value: Json, at: { readonly names: JinjaNames; readonly isSql: boolean }, lost: string[]): Json {
  if (typeof value === 'string') {
    const variable = /(?<![\w$\\])\$(?:\{[A-Z_][A-Z0-9_]*\}|[A-Z_][A-Z0-9_]*)(?![\w$])/.exec(value)?.[0];
    if (variable !== undefined) lost.push(`${variable}, which is not available in a run`);
    if (!isJinja(value)) return value;
    const translation = translateJinja(value, at.names, at.isSql);
    lost.push(...translation.lost);
    return translation.text;
  }
  if (Array.isArray(value)) return value.map((each: Json) => translate(each, at, lost));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, each === undefined ? null : translate(each, at, lost)]));
}

/** Formats a value as YAML lines for a comment. */
function yamlLines(value: JsonObject): string[] {
  const lines = stringify(value, { lineWidth: 100, aliasDuplicateObjects: false }).trimEnd().split('\n');
  const shown = lines.slice(0, MAX_COMMENT_LINES).map((line) => `  ${line.length > 120 ? `${line.slice(0, 117)}…` : line}`);
  return lines.length > shown.length ? [...shown, `  … ${lines.length - shown.length} more lines`] : shown;
}
