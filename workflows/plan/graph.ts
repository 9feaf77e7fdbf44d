/** A directed graph: each node by name, with the nodes it depends on. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * The nodes in topological order; otherwise they keep the listed order. Ignores edges to unknown nodes. Omits nodes in a cycle and their
 * followers.
 */
export function topologicalOrder(graph: Graph): string[] {
  const waitsFor = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const [node, upstream] of graph) {
    const known = new Set(upstream.filter((each) => graph.has(each)));
    waitsFor.set(node, known.size);
    for (const each of known) {
      const list = followers.get(each);
      if (list) list.push(node);
      else followers.set(each, [node]);
    }
  }
  const order = [...graph.keys()].filter((node) => waitsFor.get(node) === 0);
  // `order` grows during the loop: it is also the queue.
  for (const node of order) {
    for (const follower of followers.get(node) ?? []) {
      const left = (waitsFor.get(follower) ?? 0) - 1;
      waitsFor.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  return order;
}

/** One cycle, as a path that ends where it started (`a, b, a`), or undefined if there is none. */
export function findCycle(graph: Graph): string[] | undefined {
  const sorted = new Set(topologicalOrder(graph));
  const start = [...graph.keys()].find((node) => !sorted.has(node));
  if (start === undefined) return undefined;
  // Each omitted node depends on another omitted node, so walking up leads to a cycle.
  const path: string[] = [];
  let node: string = start;
  while (!path.includes(node)) {
    path.push(node);
    const next = (graph.get(node) ?? []).find((each) => graph.has(each) && !sorted.has(each));
    if (next === undefined) return undefined;
    node = next;
  }
  return [...path.slice(path.indexOf(node)), node].reverse();
}

/** The upstream nodes of `node`, grouped by distance, nearest first. Each node appears once. Requires an acyclic graph. */
export function upstreamByDistance(graph: Graph, node: string): string[][] {
  const seen = new Set([node]);
  const rings: string[][] = [];
  let ring = [node];
  for (;;) {
    const next = [...new Set(ring.flatMap((each) => graph.get(each) ?? []))].filter((each) => graph.has(each) && !seen.has(each));
    if (next.length === 0) return rings;
    for (const each of next) seen.add(each);
    rings.push(next);
    ring = next;
  }
}
