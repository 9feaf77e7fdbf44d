import type { Linkable } from './linkable.ts';
import { type Plan, allTasks } from '../../workflows/plan/plan.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { checkStarts } from '../check/check-starts.ts';
import { withHash } from './emit.ts';
import { reportDeadlocks } from '../check/deadlocks.ts';
import { type Catalogs, reportLoops } from '../check/start-loops.ts';

/**
 * Adds to each plan the plans of the pipelines that its `run_pipeline` tasks start, directly or indirectly, because the definition of a run
 * and of its children is frozen. Mistakes are in the sources.
 */
export function linkPipelines(files: readonly Linkable[], catalogs: Catalogs): (Plan | undefined)[] {
  const declared = new Map(
    files.flatMap(({ value }): [string, JsonObject][] => (typeof value?.dag_id === 'string' ? [[value.dag_id, value]] : [])),
  );
  const plans = new Map(files.flatMap(({ plan }): [string, Plan][] => (plan ? [[plan.dagId, plan]] : [])));
  const starts = new Map([...plans].map(([dagId, plan]): [string, string[]] => [dagId, startedBy(plan)]));
  for (const { source, value } of files) if (value) source.isolate(() => checkStarts(source, value, declared));
  reportLoops(files, catalogs);
  reportDeadlocks(files);
  return files.map(({ source, plan }) => {
    if (!plan || source.errors > 0 || (starts.get(plan.dagId) ?? []).length === 0) return plan;
    const children = reachable(plan.dagId, starts);
    const found = children.flatMap((dagId) => plans.get(dagId) ?? []);
    const missing = children.find((dagId) => !plans.has(dagId));
    if (missing !== undefined) {
      source.report('SL306', ['dag_id'], `This pipeline starts '${missing}', which has mistakes.`, 'correct those first');
      return undefined;
    }
    return withHash({ ...plan, pipelines: Object.fromEntries(found.map((child) => [child.dagId, child])) });
  });
}

/** The pipelines that a plan's tasks start. */
function startedBy(plan: Plan): string[] {
  return [...new Set(allTasks(plan).flatMap(({ type, params }) => (type === 'run_pipeline' ? [String(params.dag_id)] : [])))];
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
