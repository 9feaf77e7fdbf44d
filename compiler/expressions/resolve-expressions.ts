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
import { FILE_KEYS } from '../schema/pipeline-schema.ts';
import { ExpressionChecks } from './expression-checks.ts';
import { type ExpressionScope, OTHER_NAMES, taskOf } from './expression-scope.ts';
import { type ExpressionContext, ExpressionScopes } from './expression-scopes.ts';
import { findTemplates, type FoundTemplate, propertyOf } from './find-templates.ts';
import { NamesRead } from './names-read.ts';
import { checkTriggers, paramsSchema } from './trigger-expressions.ts';

/** What a pipeline's expressions need at run time. */
export interface ResolvedExpressions {
  /** The locations of expressions in each task's parameters, by task. */
  readonly templates: ReadonlyMap<string, readonly TemplatePlace[]>;
  /** The tasks whose outputs form the lists of an expanded task, by task. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** The locations of expressions in the parameters that each trigger passes to runs, by the trigger's position. */
  readonly triggerTemplates: ReadonlyMap<number, readonly TemplatePlace[]>;
  /** The types of the names that are read; undefined without expressions. */
  readonly shapes: Readonly<Record<string, Shape>> | undefined;
  readonly connections: readonly string[];
  /** The facts about failures that handlers read and only a host knows. */
  readonly failureFacts: readonly HostFact[];
}

/** Checks every expression of a file. Mistakes are in `source`. */
export function resolveExpressions(source: Source, value: JsonObject, context: ExpressionContext): ResolvedExpressions {
  return new ExpressionResolver(source, value, context).resolve();
}

/** Keys whose expressions belong to tasks, or that have none. */
const TASK_KEYS: ReadonlySet<string> = new Set(['tasks', 'task_groups', 'on_failure', 'on_success', 'finally', 'default_args', 'params']);

/** The schemas of keys that every task has. */
const COMMON_SCHEMAS: Readonly<Record<string, object>> = { ...TASK_COMMON, sla: SlaListSchema };
/** The schemas of the other keys of a file. */
const FILE_SCHEMAS: Readonly<Record<string, object>> = { ...FILE_KEYS, sla: SlaListSchema };

class ExpressionResolver {
  readonly checks: ExpressionChecks;
  readonly scopes: ExpressionScopes;
  private readonly names = new NamesRead();
  /** Whether the file contains braces. Most files have none, and then only keys that are expressions are checked. */
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
    const isPlain = EXPRESSION_KEYS.every((key) => keys[key] === undefined);
    if (isPlain && !this.hasBraces && !this.takesExpressions(type)) return;
    const scope = this.scopes.of(node);
    // The lists of `expand` define names, so they are checked separately.
    for (const [key, schema] of Object.entries(COMMON_SCHEMAS))
      if (key !== 'expand' && keys[key] !== undefined) this.checkKey(keys[key], schema, [...path, key], scope, name);
    let items: Record<string, Shape> = {};
    const tasks = this.names
      .during(() => {
        if (isMap(keys.expand)) items = this.checkExpand(keys.expand, [...path, 'expand'], scope);
      })
      .flatMap((reference) => (reference.path[0] === 'outputs' ? (taskOf(reference.path, scope) ?? []) : []));
    if (tasks.length > 0) this.lists.set(name, [...new Set(tasks)].sort());
    const taskType = this.context.types.get(type ?? '');
    if (!taskType) return;
    const narrowed = taskType.narrow?.(keys)?.params;
    const inner = { ...scope, items };
    const places: TemplatePlace[] = [];
    for (const [key, part] of Object.entries(keys)) {
      if (COMMON_TASK_KEYS.has(key)) continue;
      const declared: unknown = (isMap(narrowed) && propertyOf(narrowed, key)) || taskType.params.properties[key];
      const given = isMap(declared) && declared.runParams === true ? this.context.paramsOf(node) : undefined;
      const schema = given ? paramsSchema(given) : declared;
      for (const template of findTemplates(part, schema, [...path, key], 'value')) {
        const checked = this.checks.found(template, inner);
        if (!checked || template.kind === 'none') continue;
        places.push({ path: template.path.slice(path.length), kind: holdsNames(template) ? 'any-sql' : template.kind });
      }
    }
    if (places.length > 0) this.templates.set(name, places);
  }

  /** Whether parameters of a task type are expressions, or have defaults with expressions. */
  private takesExpressions(type: string | undefined): boolean {
    const taskType = this.context.types.get(type ?? '');
    return taskType !== undefined && (taskType.fromUpstream !== undefined || hasExpressions(taskType.params));
  }

  /** Checks the expressions of a key according to its schema. @param scope the available names @param task the task with this key */
  private checkKey(value: Json | undefined, schema: unknown, path: Path, scope: ExpressionScope, task?: string): void {
    for (const template of findTemplates(value, schema, path, 'none')) {
      const { reads } = template.schema;
      const own = { ...scope, readable: (name: string) => name === task || scope.readable(name) };
      this.checks.found(template, reads === 'run' ? this.scopes.everywhere() : reads === 'own' ? own : scope);
    }
  }

  /** @returns the names that the lists define, with their shapes */
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
      const checked = this.checks.bare({ path, text: over }, scope, 'list');
      const element = /^list<(int|double|string|bool)>$/.exec(checked?.type ?? '')?.[1];
      return (element as Shape | undefined) ?? 'dyn';
    }
    const kinds = new Set(Array.isArray(over) ? over.map((each: Json) => typeof each) : []);
    return kinds.size === 1 && kinds.has('string') ? 'string' : 'dyn';
  }

  /** Checks the keys of the file itself, and the triggers. */
  private checkPipeline(): void {
    const has = (schema: object): boolean => this.hasBraces || hasExpressions(schema);
    for (const { keys, path } of this.hasBraces ? defaultArgs(this.value) : [])
      this.checkKey(keys, undefined, path, this.scopes.everywhere());
    for (const [key, part] of Object.entries(this.value)) {
      if (TASK_KEYS.has(key) || key === 'triggers') continue;
      const schema = FILE_SCHEMAS[key] ?? {};
      if (has(schema)) this.checkKey(part, schema, [key], this.scopes.everywhere());
    }
    if (this.value.triggers !== undefined) this.triggerTemplates = checkTriggers(this.source, this.value, this);
  }
}

/** Whether SQL that MySQL may also run contains names, which MySQL quotes differently. */
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

/** Common keys that contain expressions without braces. */
const EXPRESSION_KEYS = Object.keys(COMMON_SCHEMAS).filter((key) => hasExpressions(COMMON_SCHEMAS[key] ?? {}));
