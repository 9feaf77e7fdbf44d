import { findCycle, type Graph, topologicalOrder } from '../workflows/plan/graph.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import { didYouMean } from './diagnostic.ts';
import type { FillIn } from './fill-in.ts';
import type { Source } from './source.ts';

/** What each task waits for, by name, and the order in which tasks can be worked through. */
export interface TaskGraph {
  readonly upstream: Graph;
  readonly order: readonly string[];
}

/**
 * The graph of the tasks: the listed order where no task says `depends_on`, else what they say.
 * Works on whatever of the file can be read, so that its mistakes are reported beside the schema's.
 * @returns undefined when the graph has mistakes, which are in `source`
 */
export function resolveGraph(source: Source, value: JsonObject, filledIn: FillIn[]): TaskGraph | undefined {
  const tasks = tasksOf(value);
  const before = source.diagnostics.length;
  const names = new Map<string, number>();
  for (const [index, { name }] of tasks.entries()) {
    if (typeof name !== 'string') continue;
    const first = names.get(name);
    if (first === undefined) names.set(name, index);
    else
      source.report(
        'SL301',
        ['tasks', index, 'name'],
        `Two tasks are called '${name}'; the other is task ${first + 1} of the list.`,
        'give each its own name',
      );
  }
  const isGraph = tasks.some((task) => task.depends_on !== undefined);
  const upstream = new Map<string, string[]>();
  for (const [index, task] of tasks.entries()) {
    if (typeof task.name !== 'string' || names.get(task.name) !== index) continue;
    upstream.set(task.name, isGraph ? declared(source, task, index, names) : previous(tasks, index));
  }
  if (!isGraph && tasks.length > 1)
    filledIn.push({ what: 'depends_on', value: [...names.keys()].join(' → '), why: 'no task says depends_on: the listed order' });
  const cycle = findCycle(upstream);
  if (cycle) {
    const [first = ''] = cycle;
    const index = names.get(first) ?? 0;
    source.report(
      'SL303',
      ['tasks', index, 'depends_on'],
      `These tasks wait for each other: ${cycle.join(' → ')}.`,
      'take one of the dependencies away',
    );
  }
  return source.diagnostics.length > before ? undefined : { upstream, order: topologicalOrder(upstream) };
}

/** The maps in `tasks`; anything else there is the schema's to report. */
export function tasksOf(value: JsonObject): JsonObject[] {
  const tasks: Json | undefined = value.tasks;
  return Array.isArray(tasks)
    ? tasks.map((task) => (typeof task === 'object' && task !== null && !Array.isArray(task) ? (task as JsonObject) : {}))
    : [];
}

function declared(source: Source, task: JsonObject, index: number, names: ReadonlyMap<string, number>): string[] {
  const list = Array.isArray(task.depends_on) ? task.depends_on : [];
  return list.filter((name, position): name is string => {
    if (typeof name !== 'string') return false;
    if (names.has(name)) return true;
    source.report(
      'SL302',
      ['tasks', index, 'depends_on', position],
      `There is no task '${name}' in this pipeline.`,
      didYouMean(name, names.keys()) ?? `tasks: ${[...names.keys()].join(', ')}`,
    );
    return false;
  });
}

function previous(tasks: readonly JsonObject[], index: number): string[] {
  const name = tasks[index - 1]?.name;
  return typeof name === 'string' ? [name] : [];
}
