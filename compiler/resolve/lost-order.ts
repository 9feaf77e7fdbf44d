import type { Graph } from '../../workflows/plan/graph.ts';
import type { TaskNode } from './task-node.ts';

type Named = TaskNode & { readonly name: string };

/**
 * Finds tasks that followed the listed order until another task used `depends_on`, and that now start in parallel with those listed before
 * them. Looks at the tasks of each group, and at those outside of groups, separately.
 * @param nodes all tasks, in the listed order
 * @param upstream the graph, with its groups connected
 * @param named the tasks that other tasks or groups name in `depends_on`: their place in the graph is meant
 */
export function lostOrder(nodes: readonly TaskNode[], upstream: Graph, named: ReadonlySet<string>): Named[] {
  const all = nodes.filter((node): node is Named => node.name !== undefined);
  const scopes = [...new Set(all.map(({ group }) => group))];
  const lost = new Set(scopes.flatMap((group) => lostInScope(all, group, upstream, named)));
  // A group that nothing depends on, and that depends on nothing, has lost its place as a whole.
  const followed = new Set([...upstream.values()].flat());
  for (const node of all.slice(1)) if (isFree(node, upstream.get(node.name) ?? []) && !followed.has(node.name)) lost.add(node);
  return all.filter((node) => lost.has(node));
}

function lostInScope(all: readonly Named[], group: string | undefined, upstream: Graph, named: ReadonlySet<string>): readonly Named[] {
  const own = all.filter((node) => node.group === group);
  const isInside = (name: string): boolean => group === undefined || name.startsWith(`${group}.`);
  const free = own.filter((node) => isFree(node, (upstream.get(node.name) ?? []).filter(isInside)));
  const unnamed = free.filter(({ name }) => !named.has(name));
  const later = unnamed.filter((node) => node !== own[0]);
  // If only the first task is not named, those that followed it have lost it.
  return unnamed.length === 0 || later.length > 0 ? later : free.slice(1, 2);
}

function isFree({ keys }: TaskNode, upstream: readonly string[]): boolean {
  return keys.depends_on === undefined && upstream.length === 0;
}
