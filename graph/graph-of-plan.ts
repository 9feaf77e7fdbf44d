import type { Plan, TaskPlan } from '../workflows/plan/plan.ts';
import type { DrawnEdge, DrawnGraph, DrawnNode, Phase } from './drawn-graph.ts';
import { clip, plainText } from './text.ts';

/** Maximum columns of a condition: enough to recognise it. */
const MAX_WHEN = 24;

/** The graph of a plan: its tasks and handlers, with the trigger rules and cases on the edges. */
export function graphOfPlan(plan: Pick<Plan, 'tasks' | 'onFailure' | 'onSuccess' | 'finally'>): DrawnGraph {
  const phases: readonly (readonly [Phase, readonly TaskPlan[]])[] = [
    ['tasks', plan.tasks],
    ['on_failure', plan.onFailure ?? []],
    ['on_success', plan.onSuccess ?? []],
    ['finally', plan.finally ?? []],
  ];
  const tasks = new Map(phases.flatMap(([, all]) => all.map((task) => [task.name, task])));
  return {
    nodes: phases.flatMap(([phase, all]) => all.map((task) => nodeOf(task, phase))),
    edges: [...tasks.values()].flatMap((task) => task.dependsOn.map((from) => edgeOf(tasks.get(from), from, task))),
  };
}

function nodeOf({ name, type, group, expand, when }: TaskPlan, phase: Phase): DrawnNode {
  const detail = [
    type,
    expand && `× ${typeof expand.over === 'string' ? `each ${expand.as}` : expand.over.length}`,
    when !== undefined && `when ${clip(plainText(when), MAX_WHEN)}`,
  ].filter(Boolean);
  return { id: name, label: name, detail: detail.join(' · '), ...(group !== undefined && { group }), ...(phase !== 'tasks' && { phase }) };
}

function edgeOf(upstream: TaskPlan | undefined, from: string, { name: to, triggerRule }: TaskPlan): DrawnEdge {
  const rule = triggerRule === 'all_success' ? [] : [triggerRule];
  const label = [...casesOf(upstream, to), ...rule].join(', ');
  return { from, to, ...(label !== '' && { label }) };
}

/** The cases of a switch that lead to `task`. */
function casesOf({ switch: branch }: Pick<TaskPlan, 'switch'> = {}, task: string): string[] {
  if (!branch) return [];
  const cases = Object.entries(branch.cases).flatMap(([value, tasks]) => (tasks.includes(task) ? value : []));
  return branch.default.includes(task) ? [...cases, 'default'] : cases;
}
