import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { TaskGraph } from '../resolve/resolve-graph.ts';
import type { Source } from '../read/source.ts';
import { fullName, type TaskNode } from '../resolve/task-node.ts';

/** Trigger rules that skip a task if one of its upstream tasks is skipped. */
const NEEDS_ALL: ReadonlySet<string> = new Set(['all_success', 'none_skipped']);

/**
 * Reports tasks that can never run: under a rule that needs all upstream tasks, a task that depends on different cases of one switch is
 * always skipped. This is Airflow's best-known pitfall.
 */
export function checkBranches(source: Source, nodes: readonly TaskNode[], graph: TaskGraph): void {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  // By task: the cases of each switch that must be chosen for the task to run.
  const needs = new Map<string, Map<string, ReadonlySet<string>>>();
  const cases = casesByTarget(nodes, byName);
  for (const name of graph.order) {
    const node = byName.get(name);
    if (!node) continue;
    const own = new Map(cases.get(name));
    needs.set(name, own);
    if (!NEEDS_ALL.has(typeof node.keys.trigger_rule === 'string' ? node.keys.trigger_rule : 'all_success')) continue;
    for (const upstream of graph.upstream.get(name) ?? []) {
      for (const [branch, required] of needs.get(upstream) ?? []) {
        const both = own.get(branch);
        own.set(branch, both ? new Set([...both].filter((value) => required.has(value))) : required);
      }
    }
    const impossible = [...own].find(([, values]) => values.size === 0)?.[0];
    if (impossible === undefined) continue;
    needs.set(name, new Map()); // its followers have the same mistake
    source.report(
      'SL308',
      [...node.path, 'name'],
      `Task '${name}' can never run: it waits for tasks of different cases of '${impossible}', and one of them is always skipped.`,
      'add `trigger_rule: none_failed_min_one_success`',
    );
  }
}

function casesByTarget(
  nodes: readonly TaskNode[],
  byName: ReadonlyMap<string | undefined, TaskNode>,
): Map<string, Map<string, ReadonlySet<string>>> {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const { name, keys, group } of nodes) {
    if (name === undefined || !isMap(keys.switch)) continue;
    const lists: [string, Json | undefined][] = [
      ...Object.entries(isMap(keys.switch.cases) ? keys.switch.cases : {}),
      [DEFAULT_CASE, keys.switch.default],
    ];
    for (const [value, list] of lists) {
      for (const target of Array.isArray(list) ? (list as readonly Json[]) : []) {
        const full = fullName(String(target), group, (each) => byName.has(each));
        if (full === undefined) continue;
        const branches = found.get(full) ?? new Map<string, Set<string>>();
        found.set(full, branches);
        branches.set(name, (branches.get(name) ?? new Set()).add(value));
      }
    }
  }
  return found;
}

/** Key of all values without their own case. YAML keys cannot have this value. */
const DEFAULT_CASE = '\0default';

/** Warns of waiting tasks that no other task depends on. */
export function checkWaits(source: Source, nodes: readonly TaskNode[], graph: TaskGraph): void {
  const waitedFor = new Set([...graph.upstream.values()].flat());
  for (const { name, type, path } of nodes) {
    if (name === undefined || !type?.startsWith('wait_') || waitedFor.has(name) || source.isReported([...path, 'type'])) continue;
    source.report(
      'SL309',
      [...path, 'name'],
      `Task '${name}' waits for something, but no task depends on it.`,
      'add it to depends_on of the tasks that need it',
    );
  }
}
