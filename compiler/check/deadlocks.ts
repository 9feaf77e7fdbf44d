import { findCycle } from '../../workflows/plan/graph.ts';
import { allTasks, type Plan, type TaskPlan } from '../../workflows/plan/plan.ts';
import type { Linkable } from '../resolve/linkable.ts';
import type { Path } from '../read/source.ts';
import { placeOfKey, taskNodes } from '../resolve/task-node.ts';

/** A task that waits for the end of a run of another pipeline. */
interface Await {
  readonly from: string;
  readonly to: string;
  readonly task: TaskPlan;
}

/** A task that holds slots of a pool while it waits for a run whose task needs slots of the same pool or another one. */
interface Hold {
  readonly owner: Await;
  readonly pool: string;
  readonly needs: { readonly pool: string; readonly what: string };
}

/** Refuses pipelines that wait for each other, and tasks that hold pool slots while they wait for tasks that need the same slots. */
export function reportDeadlocks(files: readonly Linkable[]): void {
  const plans = new Map(files.flatMap(({ plan }) => (plan ? [[plan.dagId, plan] as const] : [])));
  const awaits = [...plans.values()].flatMap((plan) => awaitsOf(plan).filter(({ to }) => plans.has(to)));
  reportCycles(files, plans, awaits);
  reportHolds(files, plans, awaits);
}

function awaitsOf(plan: Plan): Await[] {
  return allTasks(plan).flatMap((task) => {
    const { type, params } = task;
    // Waiting for another interval, or for a task that may end before its run, cannot close a cycle.
    const isWholeRun = params.interval !== 'latest' && params.offset === undefined && params.task === undefined;
    const isAwaited = type === 'run_pipeline' ? params.wait !== false : type === 'wait_for_pipeline' && isWholeRun;
    // A run may wait for a run of the same pipeline: one of the same interval that started earlier.
    return isAwaited && params.dag_id !== plan.dagId ? [{ from: plan.dagId, to: String(params.dag_id), task }] : [];
  });
}

/** Skips cycles of starts, which are reported as pipelines that start each other. */
function reportCycles(files: readonly Linkable[], plans: ReadonlyMap<string, Plan>, awaits: readonly Await[]): void {
  const left = new Set(plans.keys());
  for (;;) {
    const cycle = findCycle(
      new Map([...left].map((dagId) => [dagId, awaits.filter(({ to, from }) => to === dagId && left.has(from)).map(({ from }) => from)])),
    );
    if (!cycle) return;
    const steps = cycle.slice(1).flatMap((to, index) => awaits.find((each) => each.from === cycle[index] && each.to === to) ?? []);
    for (const dagId of cycle) left.delete(dagId);
    if (!steps.some(({ task }) => task.type === 'wait_for_pipeline')) continue;
    const way = cycle.join(' → ');
    for (const file of files) {
      const step = steps.find(({ from }) => from === file.plan?.dagId);
      if (!step) continue;
      const message = `Runs of these pipelines wait for each other to end: ${way}.`;
      file.source.report('SL316', placeOf(file, step.task, 'dag_id'), message, 'remove one of the waiting tasks');
    }
  }
}

function reportHolds(files: readonly Linkable[], plans: ReadonlyMap<string, Plan>, awaits: readonly Await[]): void {
  const holds = awaits.flatMap((owner): Hold[] => {
    const { pool } = owner.task;
    return pool ? needsOf(owner.to, plans, awaits).map((needs) => ({ owner, pool: pool.name, needs })) : [];
  });
  for (const file of files) {
    const reported = new Set<string>();
    for (const hold of holds) {
      const { owner, pool, needs } = hold;
      if (owner.from !== file.plan?.dagId || reported.has(owner.task.name)) continue;
      const way = wayTo(pool, hold, holds);
      if (!way) continue;
      reported.add(owner.task.name);
      const others = way
        .slice(1)
        .map(
          (each) =>
            ` Task '${each.owner.task.name}' of '${each.owner.from}' holds slots of that pool while it waits for '${each.owner.to}', and ${each.needs.what} needs slots of ${each.needs.pool === pool ? 'the first one' : `pool '${each.needs.pool}'`}.`,
        );
      const isSame = needs.pool === pool;
      file.source.report(
        'SL312',
        placeOf(file, owner.task, 'pool'),
        `Task '${owner.task.name}' holds slots of pool '${pool}' while it waits for '${owner.to}', and ${needs.what} needs slots of ` +
          `${isSame ? 'the same pool' : `pool '${needs.pool}'`}${isSame ? ': they' : `.${others.join('')} They`} can wait for each other indefinitely.`,
        'remove `pool` here: the tasks of that run already use it',
      );
    }
  }
}

/** The shortest path from a hold back to its pool, through tasks that hold one pool and wait for the next. */
function wayTo(pool: string, start: Hold, holds: readonly Hold[]): readonly Hold[] | undefined {
  const ways: Hold[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    const reached = way.at(-1)?.needs.pool ?? '';
    if (reached === pool) return way;
    if (seen.has(reached)) continue;
    seen.add(reached);
    for (const next of holds) if (next.pool === reached) ways.push([...way, next]);
  }
  return undefined;
}

/** The pools that runs of a pipeline need to finish, each once, with an example task. */
function needsOf(dagId: string, plans: ReadonlyMap<string, Plan>, awaits: readonly Await[]): Hold['needs'][] {
  const needed = [dagId];
  for (const each of needed) for (const { from, to } of awaits) if (from === each && !needed.includes(to)) needed.push(to);
  const found = new Map<string, string>();
  for (const each of needed) {
    const plan = plans.get(each);
    for (const { name, pool } of plan ? allTasks(plan) : [])
      if (pool && !found.has(pool.name)) found.set(pool.name, `task '${name}' of '${each}'`);
  }
  return [...found].map(([pool, what]) => ({ pool, what }));
}

function placeOf({ value }: Linkable, { name }: TaskPlan, key: string): Path {
  const node = value && taskNodes(value).find((each) => each.name === name);
  return node ? placeOfKey(node, key) : [];
}
