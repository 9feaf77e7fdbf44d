import type { TaskType } from '../../activities/define-task.ts';
import type { EventShape, TriggerType } from '../../sensors/define-trigger.ts';
import { SlaListSchema } from '../schema/sla-schema.ts';
import { HOST_FACTS, type HostFact } from '../../workflows/plan/tasks/failure.ts';
import type { TemplatePlace } from '../../workflows/plan/expressions/template-place.ts';
import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { ParamPlan } from '../../workflows/plan/plan.ts';
import { AGGREGATE_SHAPES } from '../../workflows/plan/trigger.ts';
import { checkGiven } from '../check/check-starts.ts';
import type { TaskGraph } from '../resolve/resolve-graph.ts';
import { aggregateOf } from '../resolve/resolve-triggers.ts';
import { COMMON_TASK_KEYS, TASK_COMMON } from '../schema/task-keys.ts';
import type { Path, Source } from '../read/source.ts';
import { defaultArgs, type TaskList, type TaskNode } from '../resolve/task-node.ts';
import { type ExpressionScope, OTHER_NAMES, taskOf } from './expression-scope.ts';
import { findTemplates, type FoundTemplate } from './find-templates.ts';
import { shapeOfSchema } from './shapes.ts';
import { checkBare, type CheckedTemplate, checkTemplate } from './template-checker.ts';

/** What the expressions of a pipeline need when it runs. */
export interface ResolvedExpressions {
  /** Where each task's parameters hold expressions, by task. */
  readonly templates: ReadonlyMap<string, readonly TemplatePlace[]>;
  /** The tasks whose outputs make the lists that a task expands over, by task. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** Where what each trigger gives to its runs holds expressions, by its place in the list. */
  readonly triggerTemplates: ReadonlyMap<number, readonly TemplatePlace[]>;
  /** The types of the names that are read; undefined when there are no expressions. */
  readonly shapes: Readonly<Record<string, Shape>> | undefined;
  readonly connections: readonly string[];
  /** What handlers read of a failure that only a host knows. */
  readonly failureFacts: readonly HostFact[];
}

/** What a pipeline is made of, as far as its expressions care. */
export interface ExpressionContext {
  readonly nodes: readonly TaskNode[];
  readonly graphs: ReadonlyMap<TaskList, TaskGraph | undefined>;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly triggers: ReadonlyMap<string, TriggerType>;
  readonly params: Readonly<Record<string, ParamPlan>>;
  /** The shape of what a `run_pipeline` task gives, where the pipeline that it starts is known. */
  outputOf(node: TaskNode): Shape | undefined;
  /** The type of a connection; undefined: not known. */
  connectionType(name: string): string | undefined;
  /** The parameters of the pipeline that a `run_pipeline` task starts, where it is known. */
  paramsOf(node: TaskNode): Readonly<Record<string, ParamPlan>> | undefined;
}

/** Checks every expression of a file where it stands. Mistakes are in `source`. */
export function resolveExpressions(source: Source, value: JsonObject, context: ExpressionContext): ResolvedExpressions {
  return new ExpressionResolver(source, value, context).resolve();
}

const BOOLEAN = { fits: (type: string) => type === 'bool' || type === 'dyn', words: 'a condition, true or false' };
const LIST = { fits: (type: string) => type.startsWith('list') || type === 'dyn', words: 'a list' };
const SCALAR = {
  fits: (type: string) => !type.startsWith('list') && !type.startsWith('map') && !type.startsWith('$'),
  words: 'a text or a number',
};

/** Texts for people, in which braces are only braces. */
const PROSE: ReadonlySet<string> = new Set(['description', 'doc_md']);

class ExpressionResolver {
  private knownOutputs: ReadonlyMap<string, Shape> | undefined;
  /** Whether anything in the file has braces: most files have none, and only the keys that are expressions are looked at. */
  private readonly hasBraces: boolean;
  private readonly params: Readonly<Record<string, Shape>>;
  private readonly event: EventShape | undefined;
  private readonly read: Reference[] = [];
  private readonly templates = new Map<string, TemplatePlace[]>();
  private readonly lists = new Map<string, readonly string[]>();
  private readonly triggerTemplates = new Map<number, TemplatePlace[]>();
  private found = false;

  constructor(
    private readonly source: Source,
    private readonly value: JsonObject,
    private readonly context: ExpressionContext,
  ) {
    this.hasBraces = source.texts.some(isTemplate);
    this.params = Object.fromEntries(Object.entries(context.params).map(([name, { schema }]) => [name, shapeOfSchema(schema)]));
    const triggers = Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : [];
    this.event = triggers.length > 0 ? anyOf(triggers.map((trigger) => this.eventOf(trigger))) : undefined;
  }

  private get outputs(): ReadonlyMap<string, Shape> {
    const { nodes } = this.context;
    return (this.knownOutputs ??= new Map(
      nodes.flatMap((node): [string, Shape][] => (node.name === undefined ? [] : [[node.name, this.shapeOf(node)]])),
    ));
  }

  resolve(): ResolvedExpressions {
    this.checkPipeline();
    for (const node of this.context.nodes) this.checkTask(node);
    const connections = new Set(this.read.flatMap(({ path }) => (path[0] === 'conn' && path[1] !== undefined ? [path[1]] : [])));
    const { templates, lists, triggerTemplates } = this;
    const shapes = this.found ? this.shapesRead() : undefined;
    return { templates, lists, triggerTemplates, shapes, connections: [...connections].sort(), failureFacts: this.failureFacts() };
  }

  /** `failure` without a field may be any of it. */
  private failureFacts(): HostFact[] {
    const fields = new Set(this.read.flatMap(({ path: [name, field] }) => (name === 'failure' ? [field] : [])));
    return HOST_FACTS.filter((fact) => fields.has(fact) || fields.has(undefined));
  }

  private checkTask(node: TaskNode): void {
    const { name, keys, path, type } = node;
    if (name === undefined) return;
    const isPlain = keys.when === undefined && keys.switch === undefined && keys.expand === undefined && keys.sla === undefined;
    if (isPlain && !this.hasBraces && !this.takesExpressions(type)) return;
    const scope = this.scopeOf(node);
    this.checkCommonKeys(node, scope);
    const before = this.read.length;
    const items = isMap(keys.expand) ? this.checkExpand(keys.expand, [...path, 'expand'], scope) : {};
    const tasks = this.read
      .slice(before)
      .flatMap((reference) => (reference.path[0] === 'outputs' ? (taskOf(reference.path, scope) ?? []) : []));
    if (tasks.length > 0) this.lists.set(name, [...new Set(tasks)].sort());
    const params = this.context.types.get(type ?? '')?.params;
    if (!params) return;
    const inner = { ...scope, items };
    const places: TemplatePlace[] = [];
    for (const [key, part] of Object.entries(keys)) {
      if (COMMON_TASK_KEYS.has(key)) continue;
      const given = key === 'params' ? this.context.paramsOf(node) : undefined;
      const schema = given ? paramsSchema(given) : params.properties[key];
      for (const template of findTemplates(part, schema, [...path, key], 'value')) {
        const checked = this.check(template, this.withNames(inner, template));
        if (!checked || template.kind === 'none') continue;
        places.push({ path: template.path.slice(path.length), kind: holdsNames(template) ? 'any-sql' : template.kind });
      }
    }
    if (places.length > 0) this.templates.set(name, places);
  }

  /** Whether parameters of a task type are expressions by themselves, or are filled in with some. */
  private takesExpressions(type: string | undefined): boolean {
    const taskType = this.context.types.get(type ?? '');
    return taskType !== undefined && (taskType.fromUpstream !== undefined || hasExpressions(taskType.params));
  }

  private checkCommonKeys({ keys, path }: TaskNode, scope: ExpressionScope): void {
    if (typeof keys.when === 'string') this.remember(checkBare(this.source, { path: [...path, 'when'], text: keys.when }, scope, BOOLEAN));
    if (isMap(keys.switch) && typeof keys.switch.on === 'string') {
      const own = { ...scope, readable: (task: string) => (task === this.nameAt(path) ? true : scope.readable(task)) };
      this.remember(checkBare(this.source, { path: [...path, 'switch', 'on'], text: keys.switch.on }, own, SCALAR));
    }
    if (keys.sla !== undefined) this.checkAll(keys.sla, SlaListSchema, [...path, 'sla'], this.everywhere());
    if (!this.hasBraces) return;
    for (const key of Object.keys(keys)) {
      if (!COMMON_TASK_KEYS.has(key) || key === 'when' || key === 'sla' || key === 'expand') continue;
      const schema = TASK_COMMON[key as keyof typeof TASK_COMMON] as unknown;
      for (const template of findTemplates(keys[key], schema, [...path, key], 'none')) {
        if (template.kind === 'none') checkTemplate(this.source, template, scope);
      }
    }
  }

  /** @returns the names that the lists bind, with what is known of them */
  private checkExpand(expand: JsonObject, path: Path, scope: ExpressionScope): Record<string, Shape> {
    const name = typeof expand.as === 'string' ? expand.as : 'item';
    if (name in RUN_NAMES || (name !== 'item' && (OTHER_NAMES as readonly string[]).includes(name))) {
      this.source.report('SL305', [...path, 'as'], `'${name}' is a reserved name in expressions.`, 'choose another');
    }
    const items = { ...scope.items, [name]: this.itemShape(expand.over, [...path, 'over'], scope) };
    return isMap(expand.expand) ? this.checkExpand(expand.expand, [...path, 'expand'], { ...scope, items }) : items;
  }

  private itemShape(over: Json | undefined, path: Path, scope: ExpressionScope): Shape {
    if (typeof over === 'string') {
      const checked = checkBare(this.source, { path, text: over }, scope, LIST);
      this.remember(checked);
      const element = /^list<(int|double|string|bool)>$/.exec(checked?.type ?? '')?.[1];
      return (element as Shape | undefined) ?? 'dyn';
    }
    const kinds = new Set(Array.isArray(over) ? over.map((each: Json) => typeof each) : []);
    return kinds.size === 1 && kinds.has('string') ? 'string' : 'dyn';
  }

  /** The keys of the file itself, and what other files start by. */
  private checkPipeline(): void {
    if (!this.hasBraces && ['triggers', 'sla', 'concurrency'].every((key) => this.value[key] === undefined)) return;
    for (const { keys, path } of defaultArgs(this.value)) this.checkAll(keys, undefined, path, this.everywhere());
    for (const [key, part] of Object.entries(this.value)) {
      if (PROSE.has(key) || TASK_KEYS.has(key)) continue;
      if (key === 'triggers') this.checkTriggers(part);
      else if (key === 'sla') this.checkAll(part, SlaListSchema, [key], this.everywhere());
      else if (key === 'concurrency' && isMap(part) && typeof part.key === 'string') {
        this.remember(checkBare(this.source, { path: [key, 'key'], text: part.key }, this.everywhere()));
      } else this.checkAll(part, undefined, [key], this.everywhere());
    }
  }

  private checkTriggers(triggers: Json | undefined): void {
    for (const [index, trigger] of (Array.isArray(triggers) ? (triggers as readonly Json[]) : []).entries()) {
      if (!isMap(trigger)) continue;
      const path = ['triggers', index];
      const properties = this.context.triggers.get(String(trigger.type))?.params.properties ?? {};
      const scope = { ...this.everywhere(), outputs: new Map<string, Shape>(), event: this.eventOf(trigger, 'single') };
      const places: TemplatePlace[] = [];
      for (const [key, part] of Object.entries(trigger)) {
        for (const template of findTemplates(
          part,
          key === 'params' ? paramsSchema(this.context.params) : properties[key],
          [...path, key],
          key === 'params' ? 'value' : 'none',
        )) {
          const checked = this.check(template, this.withNames(scope, template), key === 'when' ? BOOLEAN : undefined);
          if (!checked || key !== 'params' || template.kind === 'expression' || template.kind === 'none') continue;
          places.push({ path: template.path.slice(path.length + 1), kind: template.kind });
        }
      }
      if (places.length > 0) this.triggerTemplates.set(index, places);
      if (isMap(trigger.mode) && isMap(trigger.mode.window)) this.checkWindow(trigger.mode.window, [...path, 'mode', 'window'], scope);
      checkGiven(this.source, { given: trigger.params, path, dagId: String(this.value.dag_id), params: this.context.params });
    }
  }

  /** The events of a trigger. @param of `single`: what its condition is about, and not what a batch or a window of them starts */
  private eventOf(trigger: Json, of?: 'single'): EventShape {
    if (!isMap(trigger)) return {};
    const { event = {} } = this.context.triggers.get(String(trigger.type)) ?? {};
    return of === undefined && isMap(trigger.mode) ? { ...(event.meta && { meta: event.meta }) } : event;
  }

  /** What a window computes, over each event, and its condition, over what it has computed. */
  private checkWindow({ aggregates, having }: JsonObject, path: Path, scope: ExpressionScope): void {
    const named = isMap(aggregates) ? aggregates : {};
    for (const [name, text] of Object.entries(named)) {
      const [, before = '', of = ''] = /^(\s*[a-z]+\s*\()(.*)\)\s*$/s.exec(String(text)) ?? [];
      // In its place, so that a mistake is shown where it stands.
      if (of.trim() !== '')
        this.remember(checkBare(this.source, { path: [...path, 'aggregates', name], text: `${' '.repeat(before.length)}${of} ` }, scope));
    }
    if (typeof having !== 'string') return;
    const items = Object.fromEntries(
      Object.entries(named).map(([name, text]): [string, Shape] => {
        const aggregate = aggregateOf(text);
        return [name, aggregate ? AGGREGATE_SHAPES[aggregate.kind] : 'dyn'];
      }),
    );
    this.remember(checkBare(this.source, { path: [...path, 'having'], text: having }, { ...scope, items }, BOOLEAN));
  }

  private checkAll(value: Json | undefined, schema: unknown, path: Path, scope: ExpressionScope): void {
    for (const template of findTemplates(value, schema, path, 'none')) this.check(template, this.withNames(scope, template), BOOLEAN);
  }

  private check(template: FoundTemplate, scope: ExpressionScope, wanted?: typeof BOOLEAN): CheckedTemplate | undefined {
    const checked =
      template.kind === 'expression' ? checkBare(this.source, template, scope, wanted) : checkTemplate(this.source, template, scope);
    this.remember(checked);
    return checked;
  }

  private remember(checked: CheckedTemplate | undefined): void {
    this.found = true;
    this.read.push(...(checked?.references ?? []));
  }

  /** The names that a key brings of its own, such as the metrics of a model: its schema lists them as `names`. */
  private withNames(scope: ExpressionScope, { schema }: FoundTemplate): ExpressionScope {
    const names = Array.isArray(schema.names) ? (schema.names as readonly string[]) : [];
    return names.length === 0
      ? scope
      : { ...scope, items: { ...scope.items, ...Object.fromEntries(names.map((name) => [name, 'dyn' as const])) } };
  }

  private scopeOf({ name, list, keys }: TaskNode): ExpressionScope {
    const graph = this.context.graphs.get(list);
    // Most tasks read no output of another: who comes before them is looked up for those that do.
    let before: ReadonlySet<string> | undefined;
    return {
      ...this.everywhere(),
      hasFailed: list === 'on_failure' || (list === 'finally' && (isAboutFailures(keys.when) || 'maybe')),
      readable: (task) => {
        if (!graph || (list !== 'tasks' && this.context.graphs.get('tasks')?.upstream.has(task))) return true;
        before ??= tasksBefore(graph, name);
        if (before.has(task)) return true;
        return task === name ? 'a task cannot read its own' : `'${task}' is not upstream of '${name}', so it may not have run`;
      },
    };
  }

  /** What can be named where the whole run is meant. */
  private everywhere(): ExpressionScope {
    const { connectionType } = this.context;
    return {
      outputs: this.outputs,
      readable: () => true,
      params: this.params,
      items: {},
      event: this.event,
      hasFailed: false,
      connectionType,
    };
  }

  private nameAt(path: Path): string | undefined {
    return this.context.nodes.find((node) => node.path === path)?.name;
  }

  private shapeOf(node: TaskNode): Shape {
    const shape = this.context.outputOf(node) ?? shapeOfSchema(this.context.types.get(node.type ?? '')?.result);
    if (!isMap(node.keys.expand)) return shape;
    return isMap(node.keys.expand.expand) ? { list: { list: shape } } : { list: shape };
  }

  /** Only what is read travels with the plan. */
  private shapesRead(): Record<string, Shape> {
    const shapes: Record<string, Shape> = {};
    const params: Record<string, Shape> = {};
    const outputs: Record<string, Shape> = {};
    for (const { path } of this.read) {
      const [name = '', field = ''] = path;
      if (name === 'params' && Object.hasOwn(this.params, field)) params[field] = this.params[field] ?? 'dyn';
      else if (name === 'params') Object.assign(params, this.params);
      else if (name === 'outputs') this.addOutput(outputs, taskOf(path, this.everywhere()));
    }
    if (Object.keys(params).length > 0) shapes.params = { fields: params };
    if (Object.keys(outputs).length > 0) shapes.outputs = { fields: outputs };
    return shapes;
  }

  private addOutput(outputs: Record<string, Shape>, task: string | undefined): void {
    const shape = task === undefined ? undefined : this.outputs.get(task);
    if (shape && task !== undefined) putShape(outputs, task.split('.'), shape);
  }
}

/** What an event has that may be of any of several triggers: what it may not have is known in a run only. */
function anyOf(events: readonly EventShape[]): EventShape {
  const [first] = events;
  const isSame = events.every(({ value }) => JSON.stringify(value) === JSON.stringify(first?.value));
  const meta: Record<string, Shape> = {};
  for (const [name, shape] of events.flatMap((event) => Object.entries(event.meta ?? {})))
    meta[name] = meta[name] === undefined || JSON.stringify(meta[name]) === JSON.stringify(shape) ? shape : 'dyn';
  return { ...(isSame && first?.value !== undefined && { value: first.value }), meta };
}

function putShape(outputs: Record<string, Shape>, [first = '', ...rest]: readonly string[], shape: Shape): void {
  if (rest.length === 0) {
    outputs[first] = shape;
    return;
  }
  const group = outputs[first];
  const fields: Record<string, Shape> = { ...(typeof group === 'object' && 'fields' in group && group.fields) };
  putShape(fields, rest, shape);
  outputs[first] = { fields };
}

const TASK_KEYS: ReadonlySet<string> = new Set(['tasks', 'task_groups', 'on_failure', 'on_success', 'finally', 'default_args', 'params']);

/** Whether a condition holds only where something has failed. */
function isAboutFailures(when: Json | undefined): boolean {
  return typeof when === 'string' && !when.includes('||') && /(?:\bfailure\s*!=\s*null|\bnull\s*!=\s*failure)\b/.test(when);
}

function tasksBefore({ upstream }: TaskGraph, name: string | undefined): ReadonlySet<string> {
  const before = new Set<string>();
  const waiting = [...(upstream.get(name ?? '') ?? [])];
  for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
    if (before.has(task)) continue;
    before.add(task);
    waiting.push(...(upstream.get(task) ?? []));
  }
  return before;
}

/** Whether SQL that MySQL may read too has names in it, which it quotes in another way. */
function holdsNames({ kind, schema, text }: FoundTemplate): boolean {
  return kind === 'sql' && schema.mysql === true && /\bident\s*\(/.test(text);
}

/** The schema of the values that a run is given. */
function paramsSchema(params: Readonly<Record<string, ParamPlan>>): JsonObject {
  return { type: 'object', properties: Object.fromEntries(Object.entries(params).map(([name, { schema }]) => [name, schema])) };
}

const expressionSchemas = new WeakMap<object, boolean>();

function hasExpressions(schema: object): boolean {
  let found = expressionSchemas.get(schema);
  if (found === undefined) {
    found = Object.entries(schema).some(([key, part]: [string, unknown]) =>
      key === 'template' ? part === 'expression' : typeof part === 'object' && part !== null && hasExpressions(part),
    );
    expressionSchemas.set(schema, found);
  }
  return found;
}
