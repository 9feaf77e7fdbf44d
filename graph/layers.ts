import { topologicalOrder } from '../workflows/plan/graph.ts';
import { type DrawnGraph, PHASES } from './drawn-graph.ts';

/**
 * The layer of each node, from 0: one below its lowest upstream node (longest path), and below all nodes of earlier phases.
 * Ignores edges that close a cycle or lead to an earlier phase.
 */
export function assignLayers({ nodes, edges }: DrawnGraph): Map<string, number> {
  const upstream = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) upstream.get(to)?.push(from);
  const sorted = topologicalOrder(upstream);
  const phaseOf = new Map(nodes.map(({ id, phase }) => [id, phase ?? 'tasks']));
  const layers = new Map<string, number>();
  let floor = 0;
  for (const phase of PHASES) {
    let next = floor;
    for (const id of new Set([...sorted, ...upstream.keys()])) {
      if (phaseOf.get(id) !== phase) continue;
      const layer = (upstream.get(id) ?? []).reduce((lowest, above) => Math.max(lowest, (layers.get(above) ?? -1) + 1), floor);
      layers.set(id, layer);
      next = Math.max(next, layer + 1);
    }
    floor = next;
  }
  return layers;
}
