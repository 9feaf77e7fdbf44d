import type { Metrics } from './metrics.ts';
import { arrange } from './arrange.ts';
import { type Arrival, bundleEdges, type Bundles, type Cell } from './bundle-edges.ts';
import type { DrawnEdge, DrawnGraph, DrawnNode, Phase } from './drawn-graph.ts';
import { assignLayers } from './layers.ts';
import { portsWidth, type Route, routeNets, sharesLabel } from './route-nets.ts';
import { type Row, stackRows } from './stack-rows.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedNode extends Point {
  readonly node: DrawnNode;
  readonly layer: number;
  /** The position among the nodes of its layer, from 0 on the left. */
  readonly position: number;
  readonly width: number;
  readonly height: number;
}

/** The positions of all elements; `y` increases downwards. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  /** Each edge with its corners, from the lower edge of a node to the upper edge of another. */
  readonly edges: readonly { readonly edge: DrawnEdge; readonly points: readonly Point[] }[];
  /** Edge labels, by their centres. */
  readonly labels: readonly (Point & { readonly text: string })[];
  readonly groups: readonly (Point & { readonly name: string; readonly width: number; readonly height: number })[];
  /** Phases after the first, with the positions of their headings. */
  readonly phases: readonly { readonly phase: Phase; readonly y: number }[];
}

/**
 * Lays a graph out in layers (after Sugiyama): every edge goes down, horizontal lines run only between layers, nothing overlaps.
 * The layout is deterministic. Omits edges that have unknown ends, lead to themselves, or close a cycle.
 */
export function layOut(graph: DrawnGraph, metrics: Metrics): Layout {
  const layers = assignLayers(graph);
  const bundles = bundleEdges(graph, layers);
  const arrivals = new Map<Cell, Arrival[]>();
  for (const net of bundles.nets.flat()) {
    for (const arrival of net.arrivals) arrivals.set(arrival.cell, [...(arrivals.get(arrival.cell) ?? []), arrival]);
  }
  const widths = new Map(bundles.cells.map((cell) => [cell, widthOf(cell, arrivals.get(cell) ?? [], metrics)]));
  const width = (cell: Cell) => widths.get(cell) ?? 0;
  const columns = arrange(bundles.cells, { ...metrics, width });
  const left = (cell: Cell) => columns.left.get(cell) ?? 0;
  const routes = bundles.nets.map((nets) => routeNets(nets, { ...metrics, width, left }));
  const { rows, phases } = stackRows(graph, layers, routes, columns.groups, metrics);
  const rowAt = (layer: number): Row => rows[layer] ?? { labels: 0, top: 0, bottom: 0 };

  return {
    width: columns.width,
    height: rows.at(-1)?.bottom ?? 0,
    nodes: placeNodes(bundles, (cell) => ({ x: left(cell), y: rowAt(cell.first).top, width: width(cell) }), metrics),
    edges: drawEdges(bundles, routes, rowAt, metrics),
    labels: [...arrivals].flatMap(([cell, all]) => {
      const labels = labelsInto(cell, routes[cell.first - 1] ?? [], rowAt(cell.first).labels);
      return sharesLabel(all) ? mergeLabels(labels, left(cell), width(cell), metrics) : labels;
    }),
    groups: columns.groups.map(({ name, left: x, width, first, last }) => {
      const y = rowAt(first).top - metrics.groupHeading;
      return { name, x, y, width, height: rowAt(last).bottom + metrics.groupPadding - y };
    }),
    phases,
  };
}

function widthOf({ node }: Cell, arrivals: readonly Arrival[], metrics: Metrics): number {
  return node ? Math.max(metrics.nodeWidth(node), arrivals.length === 0 ? 0 : portsWidth(arrivals, metrics)) : metrics.laneWidth;
}

function placeNodes({ nodes }: Bundles, place: (cell: Cell) => Point & { width: number }, { nodeHeight }: Metrics): PlacedNode[] {
  const count = new Map<number, number>();
  return [...nodes.values()]
    .map((cell) => ({ cell, place: place(cell) }))
    .sort((a, b) => a.cell.first - b.cell.first || a.place.x - b.place.x)
    .flatMap(({ cell: { node, first: layer }, place }) => {
      const position = count.get(layer) ?? 0;
      count.set(layer, position + 1);
      return node ? { node, layer, position, ...place, height: nodeHeight(node) } : [];
    });
}

/** Follows each edge from net to net. */
function drawEdges(
  { nodes, ends }: Bundles,
  routes: readonly (readonly Route[])[],
  rowAt: (layer: number) => Row,
  { nodeHeight, trackInset, trackHeight }: Metrics,
): Layout['edges'] {
  const routeOf = routes.map((each) => new Map(each.flatMap((route) => [...route.outs.keys()].map((cell) => [cell, route] as const))));
  return [...ends].map(([edge, arrival]) => {
    let cell = nodes.get(edge.from);
    const points: Point[] = [];
    for (let layer = cell?.first ?? 0; cell && layer < arrival.cell.first; layer++) {
      const route: Route | undefined = routeOf[layer]?.get(cell);
      if (!route) continue;
      const x = route.outs.get(cell) ?? 0;
      const next = route.ins.get(arrival) ?? route.lane ?? x;
      if (cell.node) points.push({ x, y: rowAt(layer).top + nodeHeight(cell.node) });
      const y = rowAt(layer).bottom + trackInset + (route.track ?? 0) * trackHeight;
      if (next !== x) points.push({ x, y }, { x: next, y });
      cell = route.net.lane;
      if (layer + 1 === arrival.cell.first) points.push({ x: next, y: rowAt(layer + 1).top });
    }
    return { edge, points };
  });
}

/** The labels of the lines into one node, one per line. */
function labelsInto(cell: Cell, routes: readonly Route[], y: number): Layout['labels'] {
  return routes.flatMap(({ ins }) =>
    [...ins].flatMap(([{ cell: target, label: text }, x]) => (target === cell && text !== undefined ? { x, y, text } : [])),
  );
}

/** Merges equal labels into one, centred over all lines but within the node's edges. */
function mergeLabels(labels: Layout['labels'], left: number, width: number, { labelWidth }: Metrics): Layout['labels'] {
  const [label] = labels;
  if (!label) return [];
  const half = Math.ceil(labelWidth(label.text) / 2);
  const middle = Math.floor(labels.reduce((sum, { x }) => sum + x, 0) / labels.length);
  return [{ ...label, x: Math.min(Math.max(middle, left + half), left + width - half) }];
}
