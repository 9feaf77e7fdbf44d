import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { TemplatePlace } from '../../workflows/plan/expressions/template-place.ts';
import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import type { HostFact } from '../../workflows/plan/tasks/failure.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Path, Source } from '../read/source.ts';
import { defaultArgs, type TaskNode } from '../resolve/task-node.ts';
import { SlaListSchema } from '../schema/sla-schema.ts';
import { COMMON_TASK_KEYS, TASK_COMMON } from '../schema/task-keys.ts';
import { BOOLEAN, ExpressionChecks, LIST, SCALAR } from './expression-checks.ts';
import { type ExpressionScope, OTHER_NAMES, taskOf } from './expression-scope.ts';
import { type ExpressionContext, ExpressionScopes } from './expression-scopes.ts';
import { findTemplates, type FoundTemplate } from './find-templates.ts';
import { NamesRead } from './names-read.ts';
import { checkTemplate } from './template-checker.ts';
import { checkTriggers, paramsSchema } from './trigger-expressions.ts';

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

/** Checks every expression of a file where it stands. Mistakes are in `source`. */
export function resolveExpressions(source: Source, value: JsonObject, context: ExpressionContext): ResolvedExpressions {
  return new ExpressionResolver(source, value, context).resolve();
}

/** Texts for people, in which braces are only braces. */
const PROSE: ReadonlySet<string> = new Set(['description', 'doc_md']);
const TASK_KEYS: ReadonlySet<string> = new Set(['tasks', 'task_groups', 'on_failure', 'on_success', 'finally', 'default_args', 'params']);

class ExpressionResolver {
  readonly checks: ExpressionChecks;
  readonly scopes: ExpressionScopes;
  private readonly names = new NamesRead();
  /** Whether anything in the file has braces: most files have none, and only the keys that are expressions are looked at. */
  private readonly hasBraces: boolean;
  private readonly templates = new Map<string, TemplatePlace[]>();
  private readonly lists = new Map<string, readonly string[]>();
  private triggerTemplates: ResolvedExpressions['triggerTemplates'] = new Map();

  constructor(
    private readonly source: Source,
    private readonly value: JsonObject,
    readonly context: ExpressionContext,
  ) {
    this.hasBraces = source.texts.some(isTemplate);
    this.checks = new ExpressionChecks(source, this.names);
    this.scopes = new ExpressionScopes(context, Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : []);
  }

  resolve(): ResolvedExpressions {
    this.checkPipeline();
    for (const node of this.context.nodes) this.checkTask(node);
    const { names, templates, lists, triggerTemplates } = this;
    const shapes = names.hasExpressions ? names.shapes(this.scopes.everywhere()) : undefined;
    return { templates, lists, triggerTemplates, shapes, connections: names.connections(), failureFacts: names.failureFacts() };
  }

  private checkTask(node: TaskNode): void {
    const { name, keys, path, type } = node;
    if (name === undefined) return;
    const isPlain = keys.when === undefined && keys.switch === undefined && keys.expand === undefined && keys.sla === undefined;
    if (isPlain && !this.hasBraces && !this.takesExpressions(type)) return;
    const scope = this.scopes.of(node);
    this.checkCommonKeys(node, scope);
    let items: Record<string, Shape> = {};
    const tasks = this.names
      .during(() => {
        if (isMap(keys.expand)) items = this.checkExpand(keys.expand, [...path, 'expand'], scope);
      })
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
        const checked = this.checks.found(template, inner);
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
    if (typeof keys.when === 'string') this.checks.bare({ path: [...path, 'when'], text: keys.when }, scope, BOOLEAN);
    if (isMap(keys.switch) && typeof keys.switch.on === 'string') {
      const own = { ...scope, readable: (task: string) => (task === this.nameAt(path) ? true : scope.readable(task)) };
      this.checks.bare({ path: [...path, 'switch', 'on'], text: keys.switch.on }, own, SCALAR);
    }
    if (keys.sla !== undefined) this.checks.all(keys.sla, SlaListSchema, [...path, 'sla'], this.scopes.everywhere());
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
      const checked = this.checks.bare({ path, text: over }, scope, LIST);
      const element = /^list<(int|double|string|bool)>$/.exec(checked?.type ?? '')?.[1];
      return (element as Shape | undefined) ?? 'dyn';
    }
    const kinds = new Set(Array.isArray(over) ? over.map((each: Json) => typeof each) : []);
    return kinds.size === 1 && kinds.has('string') ? 'string' : 'dyn';
  }

  /** The keys of the file itself, and what other files start by. */
  private checkPipeline(): void {
    if (!this.hasBraces && ['triggers', 'sla', 'concurrency'].every((key) => this.value[key] === undefined)) return;
    for (const { keys, path } of defaultArgs(this.value)) this.checks.all(keys, undefined, path, this.scopes.everywhere());
    for (const [key, part] of Object.entries(this.value)) {
      if (PROSE.has(key) || TASK_KEYS.has(key)) continue;
      if (key === 'triggers') this.triggerTemplates = checkTriggers(this.source, this.value, this);
      else if (key === 'sla') this.checks.all(part, SlaListSchema, [key], this.scopes.everywhere());
      else if (key === 'concurrency' && isMap(part) && typeof part.key === 'string') {
        this.checks.bare({ path: [key, 'key'], text: part.key }, this.scopes.everywhere());
      } else this.checks.all(part, undefined, [key], this.scopes.everywhere());
    }
  }

  private nameAt(path: Path): string | undefined {
    return this.context.nodes.find((node) => node.path === path)?.name;
  }
}

/** Whether SQL that MySQL may read too has names in it, which it quotes in another way. */
function holdsNames({ kind, schema, text }: FoundTemplate): boolean {
  return kind === 'sql' && schema.mysql === true && /\bident\s*\(/.test(text);
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
