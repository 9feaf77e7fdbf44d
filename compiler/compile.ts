import type { ReadBeside } from './read/read-beside.ts';
import type { TaskType } from '../activities/define-task.ts';
import type { Definitions } from '../project/definitions.ts';
import { CHANNELS } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { CONNECTIONS } from '../connections/catalog.ts';
import type { ConnectionDefinition } from '../connections/define-connection.ts';
import { TRIGGERS } from '../sensors/catalog.ts';
import type { TriggerType } from '../sensors/define-trigger.ts';
import type { Shape } from '../workflows/plan/expressions/shape.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import { type Plan, type TaskPlan, timezoneOf } from '../workflows/plan/plan.ts';
import { checkDagId } from './check/check-dag-id.ts';
import { checkModels } from './check/check-models.ts';
import { checkBranches, checkWaits } from './check/check-branches.ts';
import { keepDefaults } from './check/check-numbers.ts';
import { checkContext, type Context } from './check/check-context.ts';
import { checkTwins } from './check/check-twins.ts';
import { type KnownConnections, knownConnections } from './check/known-connections.ts';
import { checkUnusedKeys } from './check/check-unused-keys.ts';
import { checkRetryPolicies } from './check/check-retry-policy.ts';
import { byPlace, type Diagnostic } from './mistakes/diagnostic.ts';
import { emitPlan, emitTask } from './resolve/emit.ts';
import type { ExpressionContext } from './expressions/expression-scopes.ts';
import { resolveExpressions } from './expressions/resolve-expressions.ts';
import { outputShape } from './expressions/shapes.ts';
import type { FillIn } from './resolve/fill-in.ts';
import { includeDocuments } from './read/include-documents.ts';
import { includeFiles } from './read/include-files.ts';
import { type DefaultsFile, FolderDefaults } from './read/defaults.ts';
import { inheritDefaults } from './resolve/inherit-defaults.ts';
import { linkPipelines } from './resolve/link-pipelines.ts';
import { checkUnfinished } from './check/check-unfinished.ts';
import { collectNotYet } from './resolve/not-yet.ts';
import { isDagFactory } from './mistakes/dag-factory.ts';
import { parse } from './read/parse.ts';
import { type HandOver, resolveData } from './resolve/resolve-data.ts';
import { checkGroups } from './check/check-groups.ts';
import { checkNames, resolveGraph, type TaskGraph } from './resolve/resolve-graph.ts';
import { declaredParams, resolveParams } from './resolve/resolve-params.ts';
import { resolveAlerts } from './resolve/resolve-alerts.ts';
import { resolveSlas } from './resolve/resolve-slas.ts';
import { resolveUndoes } from './resolve/resolve-undoes.ts';
import { resolveTriggers } from './resolve/resolve-triggers.ts';
import { resolveVars } from './resolve/resolve-vars.ts';
import type { PipelineEnvironment } from './read/environments.ts';
import { resolveUpstreamParams } from './resolve/resolve-upstream-params.ts';
import { resolveSchedule } from './resolve/resolve-schedule.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { Source } from './read/source.ts';
import { TASK_LISTS, type TaskList, type TaskNode, taskNodes } from './resolve/task-node.ts';
import { Validator } from './validate.ts';

/** A pipeline file before compilation. */
export interface PipelineFile {
  /** The file name as messages show it. */
  readonly file: string;
  readonly text: string;
  /** Why the file was not read. */
  readonly refused?: { readonly code: 'SL103' | 'SL108'; readonly message: string };
  /** Reads the files that it names, in its folder of pipelines; absent: no files can be read. */
  readonly readBeside?: ReadBeside;
  /** Defines the values of `{{ vars.… }}`; absent: no environment is chosen. */
  readonly environment?: PipelineEnvironment;
  /** The names of the available environments. Default: none. */
  readonly environments?: readonly string[];
  /** Its path relative to the project's root, with `/`; absent: no policy applies. */
  readonly place?: string;
  /** The `defaults.yaml` files that apply to it, the nearest first. Default: none. */
  readonly defaults?: readonly DefaultsFile[];
}

/** The result of compiling one file: a plan, or diagnostics. */
export interface Compilation {
  readonly file: string;
  /** Absent when the file has mistakes. */
  readonly plan?: Plan;
  /** What the compiler decided where the file leaves a choice. */
  readonly filledIn: readonly FillIn[];
  /** Mistakes and warnings. A file with only warnings has a plan. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Up to this number of files, syntax trees are kept until the end, so that a late mistake does not require parsing again. */
const TREES_KEPT = 100;

/** A file that is being compiled. */
interface Draft {
  readonly place?: string;
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly nodes: readonly TaskNode[];
  readonly filledIn: FillIn[];
}

/** Compiles YAML to plans. Pure: the caller provides the files (see load-pipelines.ts), and nothing is read or written. */
export class Compiler {
  private readonly validator: Validator;
  private readonly types: ReadonlyMap<string, TaskType>;
  private readonly triggers: ReadonlyMap<string, TriggerType>;

  /** @param tasks default of all others: what is built in */
  constructor(
    tasks: readonly TaskType[],
    triggers: readonly TriggerType[] = TRIGGERS,
    private readonly channels: readonly ChannelDefinition[] = CHANNELS,
    private readonly connections: readonly ConnectionDefinition[] = CONNECTIONS,
  ) {
    this.validator = new Validator({ tasks, triggers, channels });
    this.types = new Map(tasks.map((taskType) => [taskType.type, taskType]));
    this.triggers = new Map(triggers.map((trigger) => [trigger.type, trigger]));
  }

  /** Creates a compiler for the definitions of a project. */
  static of({ tasks, triggers, channels, connections }: Definitions): Compiler {
    return new Compiler(tasks, triggers, channels, connections);
  }

  /** The JSON Schema of pipeline files, for editors. */
  get schema(): JsonSchema {
    return this.validator.schema;
  }

  /** The JSON Schema of `defaults.yaml`, for editors. */
  get defaultsSchema(): JsonSchema {
    return this.validator.defaultsSchema;
  }

  /**
   * Compiles files: first each on its own, then checks across files. A bad file, or a bug of the compiler in one file, does not affect the
   * others.
   * @param context what is known about the installation; absent: nothing is checked against it
   */
  compileAll(files: readonly PipelineFile[], context: Context = {}): Compilation[] {
    const defaults = new FolderDefaults(this.validator);
    const drafts = files.map((file) => this.draft(file, defaults, files.length <= TREES_KEPT));
    const byDagId = new Map<string, Draft>();
    for (const draft of drafts)
      if (typeof draft.value?.dag_id === 'string' && !byDagId.has(draft.value.dag_id)) byDagId.set(draft.value.dag_id, draft);
    const connections = knownConnections(this.connections, context);
    const plans = drafts.map((draft) => draft.source.isolate(() => this.plan(draft, byDagId, connections)));
    checkTwins(drafts, plans);
    const linked = linkPipelines(
      drafts.map(({ source, value }, index) => ({ source, value, plan: plans[index] })),
      { tasks: this.types, triggers: this.triggers },
    );
    const checked = drafts.map((draft, index) => ({ ...draft, plan: plans[index] }));
    checkContext(checked, { tasks: this.types, triggers: this.triggers, channels: this.channels }, context, connections);
    return drafts.map(({ source, filledIn }, index) => {
      const plan = source.errors === 0 ? linked[index] : undefined;
      return { file: source.file, ...(plan && { plan }), filledIn, diagnostics: [...source.diagnostics].sort(byPlace) };
    });
  }

  /** Compiles one file. */
  compile(file: PipelineFile): Compilation {
    const [compilation] = this.compileAll([file]);
    if (!compilation) throw new Error('compileAll lost a file');
    return compilation;
  }

  private draft(file: PipelineFile, defaults: FolderDefaults, keepTree: boolean): Draft {
    const { refused } = file;
    const source = new Source(file.file, file.text);
    const filledIn: FillIn[] = [];
    if (refused) source.reportAt(refused.code, 0, 1, refused.message);
    const read = refused ? undefined : source.isolate(() => this.read(source, file, defaults, filledIn));
    if (!keepTree) source.forget();
    const { place } = file;
    return { ...(place !== undefined && { place }), source, value: read?.value, nodes: read?.nodes ?? [], filledIn };
  }

  private read(
    source: Source,
    { readBeside, environment, environments = [], defaults = [] }: PipelineFile,
    folderDefaults: FolderDefaults,
    filledIn: FillIn[],
  ): Pick<Draft, 'value' | 'nodes'> {
    const written = parse(source);
    const fillVars = (each: JsonObject): JsonObject => resolveVars(source, each, environment, environments, filledIn);
    const parsed = written && fillVars(inheritDefaults(source, written, folderDefaults.read(defaults), filledIn));
    if (parsed && isDagFactory(parsed)) {
      source.report('SL105', [], 'This is a file of dag-factory: its pipelines are listed by name.', 'convert it: sluice import FILE');
      return { value: undefined, nodes: [] };
    }
    const { types: tasks, triggers } = this;
    const included = parsed && includeFiles(source, keepDefaults(source, parsed), { tasks, triggers }, readBeside);
    const value = included && includeDocuments(source, fillVars(included), tasks, readBeside);
    const nodes = value ? taskNodes(value) : [];
    if (value) this.validator.validate(source, value, nodes);
    return { value, nodes };
  }

  private plan(
    { source, value, nodes: written, filledIn }: Draft,
    byDagId: ReadonlyMap<string, Draft>,
    connections: KnownConnections,
  ): Plan | undefined {
    if (!value) return undefined;
    checkDagId(source, value);
    const schedule = resolveSchedule(source, value);
    const params = resolveParams(source, value);
    checkNames(source, value, written);
    checkGroups(source, value, written);
    checkRetryPolicies(source, value, written, this.types);
    const lists = new Map(TASK_LISTS.map((list): [TaskList, TaskNode[]] => [list, written.filter((node) => node.list === list)]));
    const graphs = new Map(
      [...lists].map(([list, own]): [TaskList, TaskGraph | undefined] => [list, resolveGraph(source, value, own, filledIn)]),
    );
    const nodes = [...lists].flatMap(([list, own]) => {
      const graph = graphs.get(list);
      return graph ? resolveUpstreamParams(source, own, graph, this.types, filledIn) : own;
    });
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const handOver = new Map<string, HandOver>();
    for (const [list, own] of lists) {
      const graph = graphs.get(list);
      if (!graph) continue;
      checkBranches(source, own, graph);
      if (list === 'tasks') checkWaits(source, own, graph);
      // The flow of data is known only if every task's name and type are known. Then its mistakes are reported beside all others.
      if (new Set(own.map(({ name }) => name)).size < own.length) continue;
      if (!own.every(({ name, type }) => name !== undefined && this.types.has(type ?? ''))) continue;
      for (const [name, each] of resolveData(source, String(value.dag_id), own, graph, this.types, filledIn)) handOver.set(name, each);
    }
    checkModels(source, nodes, handOver);
    const undone = resolveUndoes(source, nodes, this.types, filledIn);
    const expressions = resolveExpressions(source, value, {
      nodes,
      graphs,
      types: this.types,
      triggers: this.triggers,
      params,
      connections,
      outputOf: (node) => this.outputOfPipeline(node, byDagId),
      paramsOf: ({ type, keys }) => {
        const child = type === 'run_pipeline' ? byDagId.get(String(keys.dag_id))?.value : undefined;
        return child && declaredParams(child);
      },
    } satisfies ExpressionContext);
    checkUnfinished(source, nodes);
    checkUnusedKeys(source, value, nodes, this.types);
    const notYet = collectNotYet(source, value, nodes, this.types, this.triggers);
    const slas = resolveSlas(source, value, nodes, schedule);
    const triggers = resolveTriggers(source, value, expressions.triggerTemplates);
    source.forget();
    if (source.errors > 0) return undefined;
    const emit = (list: TaskList): TaskPlan[] =>
      (graphs.get(list)?.order ?? []).flatMap((name) => {
        const node = byName.get(name);
        const type = this.types.get(node?.type ?? '');
        if (!node || !type) return [];
        const templates = expressions.templates.get(name);
        const lists = expressions.lists.get(name);
        const undoes = undone.get(name);
        return emitTask({
          node: { ...node, name },
          type,
          dependsOn: graphs.get(list)?.upstream.get(name) ?? [],
          ...handOver.get(name),
          ...(templates && { templates }),
          ...(lists && { lists }),
          ...(undoes !== undefined && { undoes }),
          isTask: (each) => byName.has(each),
        });
      });
    const [tasks, onFailure, onSuccess, last] = [emit('tasks'), emit('on_failure'), emit('on_success'), emit('finally')];
    const timezone = typeof value.timezone === 'string' ? value.timezone : undefined;
    const dateZone = timezoneOf({ schedule, ...(timezone !== undefined && { timezone }) });
    return emitPlan(value, {
      schedule,
      ...(schedule === null && timezone !== undefined && { timezone }),
      ...(triggers.length > 0 && { triggers }),
      ...(expressions.failureFacts.length > 0 && { failureFacts: expressions.failureFacts }),
      ...resolveAlerts(value.alerts, this.channels),
      ...(slas.length > 0 && { slas }),
      ...(Object.keys(params).length > 0 && { params }),
      tasks,
      ...(onFailure.length > 0 && { onFailure }),
      ...(onSuccess.length > 0 && { onSuccess }),
      ...(last.length > 0 && { finally: last }),
      ...(expressions.shapes && { shapes: expressions.shapes }),
      ...(dateZone !== 'UTC' && (expressions.shapes || schedule === null) && { dateZone }),
      ...(expressions.connections.length > 0 && { connections: expressions.connections }),
      ...(Object.keys(notYet).length > 0 && { notYet }),
    });
  }

  /** The shape of a `run_pipeline` task's output, if it waits for the run. */
  private outputOfPipeline({ type, keys }: TaskNode, byDagId: ReadonlyMap<string, Draft>): Shape | undefined {
    if (type !== 'run_pipeline') return undefined;
    const child = byDagId.get(String(keys.dag_id));
    if (!child || keys.wait === false) return undefined;
    const outputs = child.nodes.flatMap(({ name, type: childType, list, keys }): [string, Shape][] =>
      name === undefined || list !== 'tasks' || name.includes('.') ? [] : [[name, outputShape(this.types.get(childType ?? ''), keys)]],
    );
    return { fields: { run_id: 'string', state: 'string', outputs: { fields: Object.fromEntries(outputs) } } };
  }
}
