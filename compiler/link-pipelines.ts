import { type Plan, allTasks } from '../workflows/plan/plan.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import { checkStarts } from './check-starts.ts';
import { withHash } from './emit.ts';
import type { Source } from './source.ts';
import { reportLoops } from './start-loops.ts';
import { taskNodes } from './task-node.ts';

/** A file's plan before and after it holds the plans that it starts. */
export interface Linkable {
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly plan: Plan | undefined;
}

/**
 * Puts into each plan the plans of the pipelines that its `run_pipeline` tasks start, and those that these start: a run's definition is
 * frozen, and that of its children with it. Mistakes are in the sources.
 */
export function linkPipelines(files: readonly Linkable[]): (Plan | undefined)[] {
  const declared = new Map(
    files.flatMap(({ value }): [string, JsonObject][] => (typeof value?.dag_id === 'string' ? [[value.dag_id, value]] : [])),
  );
  const plans = new Map(files.flatMap(({ plan }): [string, Plan][] => (plan ? [[plan.dagId, plan]] : [])));
  const starts = new Map([...plans].map(([dagId, plan]): [string, string[]] => [dagId, startedBy(plan)]));
  for (const { source, value } of files) if (value) source.isolate(() => checkStarts(source, value, declared));
  reportLoops(files);
  for (const { source, value, plan } of files) if (value && plan) source.isolate(() => checkPools(source, value, plan, plans, starts));
  return files.map(({ source, plan }) => {
    if (!plan || source.errors > 0 || (starts.get(plan.dagId) ?? []).length === 0) return plan;
    const children = reachable(plan.dagId, starts);
    const found = children.flatMap((dagId) => plans.get(dagId) ?? []);
    const missing = children.find((dagId) => !plans.has(dagId));
    if (missing !== undefined) {
      source.report('SL306', ['dag_id'], `This pipeline starts '${missing}', which has mistakes of its own.`, 'put those right first');
      return undefined;
    }
    return withHash({ ...plan, pipelines: Object.fromEntries(found.map((child) => [child.dagId, child])) });
  });
}

/** The pipelines that a plan's tasks start. */
function startedBy(plan: Plan): string[] {
  return [...new Set(allTasks(plan).flatMap(({ type, params }) => (type === 'run_pipeline' ? [String(params.dag_id)] : [])))];
}

/** Reports tasks that hold slots of a pool for as long as a run takes that needs slots of the same pool. */
function checkPools(
  source: Source,
  value: JsonObject,
  plan: Plan,
  plans: ReadonlyMap<string, Plan>,
  starts: ReadonlyMap<string, readonly string[]>,
): void {
  const nodes = taskNodes(value);
  for (const { name, type, params, pool } of allTasks(plan)) {
    if (type !== 'run_pipeline' || params.wait === false || !pool) continue;
    const child = String(params.dag_id);
    const started = [child, ...reachable(child, starts)].flatMap((dagId) => plans.get(dagId) ?? []);
    const [needs] = started.flatMap(({ dagId, ...rest }) =>
      allTasks({ dagId, ...rest }).flatMap((task) => (task.pool?.name === pool.name ? [`task '${task.name}' of '${dagId}'`] : [])),
    );
    if (needs === undefined) continue;
    const node = nodes.find((each) => each.name === name);
    source.report(
      'SL312',
      node?.keys.pool === undefined ? ['default_args', 'pool'] : [...node.path, 'pool'],
      `Task '${name}' holds slots of pool '${pool.name}' while it waits for '${child}', and ${needs} needs slots of the same pool: they can wait for each other for ever.`,
      'take `pool` away here: the tasks of that run have it',
    );
  }
}

function reachable(from: string, starts: ReadonlyMap<string, readonly string[]>): string[] {
  const seen = new Set<string>();
  const next = [...(starts.get(from) ?? [])];
  for (const dagId of next) {
    if (seen.has(dagId) || dagId === from) continue;
    seen.add(dagId);
    next.push(...(starts.get(dagId) ?? []));
  }
  return [...seen].sort();
}
