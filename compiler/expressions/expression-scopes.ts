import type { TaskType } from '../../activities/define-task.ts';
import type { EventShape, TriggerType } from '../../sensors/define-trigger.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { ParamPlan } from '../../workflows/plan/plan.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { KnownConnections } from '../check/known-connections.ts';
import type { TaskGraph } from '../resolve/resolve-graph.ts';
import type { TaskList, TaskNode } from '../resolve/task-node.ts';
import type { ExpressionScope } from './expression-scope.ts';
import { outputShape, shapeOfSchema } from './shapes.ts';

/** The parts of a pipeline that its expressions depend on. */
export interface ExpressionContext {
  readonly nodes: readonly TaskNode[];
  readonly graphs: ReadonlyMap<TaskList, TaskGraph | undefined>;
  readonly types: ReadonlyMap<string, TaskType>;
  readonly triggers: ReadonlyMap<string, TriggerType>;
  readonly params: Readonly<Record<string, ParamPlan>>;
  /** The shape of a `run_pipeline` task's output, if the started pipeline is known. */
  outputOf(node: TaskNode): Shape | undefined;
  readonly connections: KnownConnections;
  /** The parameters of the pipeline that a `run_pipeline` task starts, if known. */
  paramsOf(node: TaskNode): Readonly<Record<string, ParamPlan>> | undefined;
}

/** The names that expressions can use in each place. */
export class ExpressionScopes {
  private knownOutputs: ReadonlyMap<string, Shape> | undefined;
  private readonly params: Readonly<Record<string, Shape>>;
  private readonly event: EventShape | undefined;

  /** @param triggers the list in the file */
  constructor(
    private readonly context: ExpressionContext,
    triggers: readonly Json[],
  ) {
    this.params = Object.fromEntries(Object.entries(context.params).map(([name, { schema }]) => [name, shapeOfSchema(schema)]));
    this.event = triggers.length > 0 ? anyOf(triggers.map((trigger) => this.eventOf(trigger))) : undefined;
  }

  /** The names available for expressions about the whole run. */
  everywhere(): ExpressionScope {
    return {
      outputs: this.outputs,
      readable: () => true,
      params: this.params,
      items: {},
      event: this.event,
      hasFailed: false,
      connections: this.context.connections,
    };
  }

  /** The names available in the common keys and parameters of a task. */
  of({ name, list, keys }: TaskNode): ExpressionScope {
    const graph = this.context.graphs.get(list);
    // Compute the upstream tasks only on demand: most tasks read no other outputs.
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

  /** The events of a trigger. @param of `single`: the event that its condition sees, not the batch or window that starts a run */
  eventOf(trigger: Json, of?: 'single'): EventShape {
    if (!isMap(trigger)) return {};
    const { event = {} } = this.context.triggers.get(String(trigger.type)) ?? {};
    return of === undefined && isMap(trigger.mode) ? { ...(event.meta && { meta: event.meta }) } : event;
  }

  private get outputs(): ReadonlyMap<string, Shape> {
    const { nodes } = this.context;
    return (this.knownOutputs ??= new Map(
      nodes.flatMap((node): [string, Shape][] => (node.name === undefined ? [] : [[node.name, this.shapeOf(node)]])),
    ));
  }

  private shapeOf(node: TaskNode): Shape {
    const shape = this.context.outputOf(node) ?? outputShape(this.context.types.get(node.type ?? ''), node.keys);
    if (!isMap(node.keys.expand)) return shape;
    return isMap(node.keys.expand.expand) ? { list: { list: shape } } : { list: shape };
  }
}

/** The shape of an event from any of several triggers. A field that some of them lack is known only in a run. */
function anyOf(events: readonly EventShape[]): EventShape {
  const [first] = events;
  const isSame = events.every(({ value }) => JSON.stringify(value) === JSON.stringify(first?.value));
  const meta: Record<string, Shape> = {};
  for (const [name, shape] of events.flatMap((event) => Object.entries(event.meta ?? {})))
    meta[name] = meta[name] === undefined || JSON.stringify(meta[name]) === JSON.stringify(shape) ? shape : 'dyn';
  return { ...(isSame && first?.value !== undefined && { value: first.value }), meta };
}

/** Whether a condition is true only after a failure. */
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
