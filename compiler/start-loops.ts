import { findCycle } from '../workflows/plan/graph.ts';
import type { Json } from '../workflows/plan/json.ts';
import { allTasks, type Plan } from '../workflows/plan/plan.ts';
import type { Linkable } from './link-pipelines.ts';
import type { Path } from './source.ts';
import { taskNodes } from './task-node.ts';

/** That a run of one pipeline starts one of another. */
interface Start {
  readonly from: string;
  readonly to: string;
  /** What stands between them, where it is no task or trigger that names the other: a data set. */
  readonly dataset?: string;
  /** Where the file says so: that of `from` for a task, that of `to` for a trigger. */
  readonly owner: string;
  readonly path: Path;
}

/**
 * Refuses pipelines whose runs start each other, or themselves, without end: by tasks, by triggers on runs, by data sets. A trigger on `all`
 * of several data sets goes round only where each of them is made within the circle.
 */
export function reportLoops(files: readonly Linkable[]): void {
  const own = files.flatMap(({ plan, value }) => (plan && value ? [{ plan, value }] : []));
  const plans = new Map(own.map(({ plan }) => [plan.dagId, plan]));
  const makers = new Map<string, string[]>();
  for (const { plan } of own) for (const uri of plan.outlets ?? []) makers.set(uri, [...(makers.get(uri) ?? []), plan.dagId]);
  const all = own.flatMap(({ plan, value }) => [...startsByTasks(plan, value), ...startsByTriggers(plan, makers)]);
  const caught = endless(plans, makers, all);
  const starts = all.filter(({ from, to }) => caught.has(from) && caught.has(to));
  const left = new Set(caught);
  for (;;) {
    const circle = findCycle(new Map([...left].map((dagId) => [dagId, starts.filter(({ to }) => to === dagId).map(({ from }) => from)])));
    if (!circle) return;
    reportCircle(files, circle, starts);
    for (const dagId of circle) left.delete(dagId);
  }
}

/** The pipelines that are started again and again by each other alone. */
function endless(plans: ReadonlyMap<string, Plan>, makers: ReadonlyMap<string, readonly string[]>, starts: readonly Start[]): Set<string> {
  const causes = new Map<string, Start[]>();
  for (const start of starts) {
    const known = causes.get(start.to);
    if (known) known.push(start);
    else causes.set(start.to, [start]);
  }
  const left = new Set(causes.keys());
  const isMadeWithin = (uri: string): boolean => (makers.get(uri) ?? []).some((maker) => left.has(maker));
  for (let size = -1; size !== left.size;) {
    size = left.size;
    for (const dagId of left) {
      const isStarted = (causes.get(dagId) ?? []).some(({ from, dataset, path }) => {
        const all = dataset === undefined ? [] : textsIn(plans.get(dagId)?.triggers?.[Number(path[1])]?.source.all);
        return left.has(from) && all.every(isMadeWithin);
      });
      if (!isStarted) left.delete(dagId);
    }
  }
  return left;
}

function startsByTasks(plan: Plan, value: NonNullable<Linkable['value']>): Start[] {
  const started = new Set(allTasks(plan).flatMap(({ type, params }) => (type === 'run_pipeline' ? [String(params.dag_id)] : [])));
  return [...started].flatMap((to) => {
    const task = taskNodes(value).find(({ type, keys }) => type === 'run_pipeline' && keys.dag_id === to);
    return task ? [{ from: plan.dagId, to, owner: plan.dagId, path: [...task.path, 'dag_id'] }] : [];
  });
}

function startsByTriggers({ dagId: to, triggers = [] }: Plan, makers: ReadonlyMap<string, readonly string[]>): Start[] {
  return triggers.flatMap(({ type, source }, index) => {
    const path: Path = ['triggers', index];
    if (type === 'pipeline') return [{ from: String(source.dag_id), to, owner: to, path: [...path, 'dag_id'] }];
    if (type !== 'dataset') return [];
    return (['any', 'all'] as const).flatMap((key) =>
      textsIn(source[key]).flatMap((dataset, position) =>
        (makers.get(dataset) ?? []).map((from) => ({ from, to, dataset, owner: to, path: [...path, key, position] })),
      ),
    );
  });
}

function reportCircle(files: readonly Linkable[], circle: readonly string[], starts: readonly Start[]): void {
  const steps = circle.slice(1).flatMap((to, index) => starts.find((each) => each.from === circle[index] && each.to === to) ?? []);
  const way = [circle[0], ...steps.flatMap(({ dataset, to }) => (dataset === undefined ? [to] : [dataset, to]))].join(' → ');
  const isAlone = circle.length === 2;
  for (const { source, plan } of files) {
    const step = steps.find(({ owner }) => owner === plan?.dagId);
    if (!step) continue;
    source.report(
      'SL307',
      step.path,
      isAlone ? `This pipeline starts itself, without end: ${way}.` : `These pipelines start each other, without end: ${way}.`,
      'take away what closes the circle: a trigger, a task or an outlet',
    );
  }
}

function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((each) => typeof each === 'string') : [];
}
