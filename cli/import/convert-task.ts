import { stringify } from 'yaml';
import type { Json, JsonObject } from '../../workflows/plan/json.ts';
import type { Converted } from './argument-converters.ts';
import { convertOption, isNothing } from './convert-options.ts';
import { isJinja, translateJinja } from './jinja.ts';
import { className, mappingOf, type OperatorMapping } from './operators.ts';
import type { Report } from './report.ts';
import type { Fields, SourceTask } from './source-dag.ts';
import type { SourceValue } from './source-value.ts';

/** A task of a pipeline that is written: its keys in order, and what a comment above it says. */
export interface WrittenTask {
  readonly keys: JsonObject;
  readonly comments: readonly string[];
}

/** What a task is converted with. */
export interface TaskContext {
  /** As the pipeline calls it, and as the report does: with its group. */
  readonly name: string;
  readonly fullName: string;
  /** What `default_args` has beside the keys of every task: arguments for the operators that take them. */
  readonly defaults: Fields;
  /** The DAG's parameters, with our names. */
  readonly params: ReadonlyMap<string, string>;
  readonly dagName: (id: string) => string;
  readonly report: Report;
}

const MAX_COMMENT_LINES = 15;

/** The task as ours; as an `empty` one, with what it was in a comment, when what it does cannot be said. Without `depends_on`. */
export function convertTask(task: SourceTask, context: TaskContext): WrittenTask {
  return new TaskConverter(task, context).convert();
}

class TaskConverter {
  private readonly comments: string[] = [];
  private readonly options: Record<string, Json> = {};
  private readonly keys: Record<string, Json> = {};
  /** What became of the operator's arguments: told only when the task does its work. */
  private readonly told: (() => void)[] = [];
  private readonly lost: string[] = [];

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
      if (option) this.apply(name, field, option, this.options, (tell) => tell());
      else if (option === null && mapping) this.argument(name, field, mapping);
    }
    const fault = mapping ? this.fault(mapping) : reasonWhyNone(task.operator);
    if (fault !== undefined || !mapping) return this.asEmpty(fault ?? '');
    context.report.kept(context.fullName, task.place, context.fullName);
    if (mapping.note !== undefined) context.report.changed(className(task.operator ?? ''), mapping.note, task.place, context.fullName);
    for (const tell of this.told) tell();
    const finished = mapping.finish?.(this.keys, context.name) ?? this.keys;
    return { keys: { name: context.name, type: mapping.type, ...finished, ...this.options }, comments: this.comments };
  }

  /** What the task says, before it what `default_args` says to such an operator. */
  private fields(mapping: OperatorMapping | undefined): Fields {
    const taken = mapping?.arguments ?? {};
    const defaults = [...this.context.defaults].filter(([name]) => name === 'trigger_rule' || Object.hasOwn(taken, name));
    const all = new Map([...defaults, ...this.task.fields]);
    // Keys come out in the order of the table, whatever the order of the file.
    const known = Object.keys(taken).flatMap((name): [string, SourceValue][] => {
      const field = all.get(name);
      return field ? [[name, field]] : [];
    });
    return new Map([...known, ...all]);
  }

  private argument(name: string, field: SourceValue, mapping: OperatorMapping): void {
    if (mapping.ignored?.includes(name) || isNothing(field.value)) return;
    const convert = Object.hasOwn(mapping.arguments, name) ? mapping.arguments[name] : undefined;
    const unknown: string[] = [];
    const value = translate(field.value, this.context.params, unknown);
    const converted: Converted = !convert
      ? { lost: `is nothing that a task of type ${mapping.type} takes` }
      : unknown.length > 0
        ? { lost: `has ${[...new Set(unknown)].join(', ')}, which a run does not know here` }
        : convert(value, this.context.dagName);
    if (convert && 'lost' in converted) this.lost.push(`${name} ${converted.lost}`);
    this.apply(name, field, converted, this.keys, (tell) => this.told.push(tell));
  }

  /** What keeps the task from doing its work. */
  private fault({ needs = [] }: OperatorMapping): string | undefined {
    if (this.task.fields.get('expand')?.value) return 'it is mapped over a list: write its list and its work anew, with expand';
    const missing = needs.filter((key) => this.keys[key] === undefined);
    if (missing.length === 0) return undefined;
    return this.lost.length > 0 ? this.lost.join('; ') : `the file does not say what its ${missing.join(' and ')} would be`;
  }

  private apply(
    name: string,
    field: SourceValue,
    converted: Converted,
    keys: Record<string, Json>,
    inTime: (tell: () => void) => void,
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

  private asEmpty(why: string): WrittenTask {
    const { task, context } = this;
    context.report.notKept(context.fullName, `is an empty task now: ${why}`, task.place, context.fullName);
    const own = [...task.fields].filter(([name, { value }]) => convertOption(name, value) === null && value !== null && !isNothing(value));
    const was = {
      ...(task.operator !== undefined && { operator: task.operator }),
      ...Object.fromEntries(own.map(([name, { value }]) => [name, value])),
    };
    return {
      keys: { name: context.name, type: 'empty', ...this.options },
      comments: [...this.comments, `not kept: ${why}. It was:`, ...yamlLines(was)],
    };
  }
}

/** Keys that are read from elsewhere. */
const STRUCTURE: ReadonlySet<string> = new Set(['expand', 'inlets', 'outlets']);

function reasonWhyNone(operator: string | undefined): string {
  if (operator === undefined) return 'the file names no operator';
  const name = className(operator);
  const what = /python|^task$|virtualenv/i.test(name) ? `${name} runs Python of yours` : `Sluice has nothing like ${name}`;
  return `${what}: write a task type for it, or a program that a task of type command runs`;
}

/** `value` with every text in our expressions; what cannot be said is added to `lost`. */
function translate(value: Json, params: ReadonlyMap<string, string>, lost: string[]): Json {
  if (typeof value === 'string') {
    const variable = /(?<![\w$\\])\$(?:\{[A-Z_][A-Z0-9_]*\}|[A-Z_][A-Z0-9_]*)(?![\w$])/.exec(value)?.[0];
    if (variable !== undefined) lost.push(variable);
    if (!isJinja(value)) return value;
    const translation = translateJinja(value, params);
    lost.push(...translation.lost);
    return translation.text;
  }
  if (Array.isArray(value)) return value.map((each: Json) => translate(each, params, lost));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, each === undefined ? null : translate(each, params, lost)]));
}

/** A value as lines of YAML, for a comment. */
function yamlLines(value: JsonObject): string[] {
  const lines = stringify(value, { lineWidth: 100, aliasDuplicateObjects: false }).trimEnd().split('\n');
  const shown = lines.slice(0, MAX_COMMENT_LINES).map((line) => `  ${line.length > 120 ? `${line.slice(0, 117)}…` : line}`);
  return lines.length > shown.length ? [...shown, `  … ${lines.length - shown.length} more lines`] : shown;
}
