import type { DrawnEdge, DrawnGraph, DrawnNode } from './drawn-graph.ts';

/** An element of a layer: a node, or a lane, which carries long edges through the layers between their ends. */
export interface Cell {
  readonly node?: DrawnNode;
  readonly group: string | undefined;
  readonly first: number;
  last: number;
  readonly above: Cell[];
  readonly below: Cell[];
}

/** The end of lines at a node, with one label. */
export interface Arrival {
  readonly rank: number;
  readonly cell: Cell;
  readonly label: string | undefined;
}

/** Lines between two layers drawn as one. Every source connects to every arrival, so a merged line is unambiguous. */
export interface Net {
  readonly sources: readonly Cell[];
  readonly arrivals: readonly Arrival[];
  /** Carries longer edges past the next layer. */
  readonly lane: Cell | undefined;
}

export interface Bundles {
  readonly cells: readonly Cell[];
  /** By node id. */
  readonly nodes: ReadonlyMap<string, Cell>;
  /** The end of each edge; edges that cannot be drawn are missing. */
  readonly ends: ReadonlyMap<DrawnEdge, Arrival>;
  /** By the layer where their lines start. A lane that only continues straight down has no net. */
  readonly nets: readonly (readonly Net[])[];
}

/** The arrivals that a cell must pass on, in order of rank. Equal keys mean equal loads. */
interface Load {
  readonly arrivals: readonly Arrival[];
  readonly key: string;
}

/**
 * Splits the edges into lines between adjacent layers, and merges lines with the same targets.
 * Omits edges that do not go down or have an unknown end.
 */
export function bundleEdges({ nodes, edges }: DrawnGraph, layers: ReadonlyMap<string, number>): Bundles {
  const cellOf = new Map(nodes.map((node) => [node.id, newCell(layers.get(node.id) ?? 0, node.group, node)]));
  const cells = [...cellOf.values()];
  const depth = Math.max(0, ...cells.map(({ last }) => last + 1));

  const arrivals = new Map<string, Arrival>();
  const leaving = new Map<Cell, Set<Arrival>>();
  const ends = new Map<DrawnEdge, Arrival>();
  for (const edge of edges) {
    const [source, cell] = [cellOf.get(edge.from), cellOf.get(edge.to)];
    if (!source || !cell || source.last >= cell.first) continue;
    const key = JSON.stringify([edge.to, edge.label]);
    const arrival = arrivals.get(key) ?? { rank: arrivals.size, cell, label: edge.label };
    arrivals.set(key, arrival);
    ends.set(edge, arrival);
    leaving.set(source, (leaving.get(source) ?? new Set()).add(arrival));
  }

  const live: Map<Cell, Load>[] = Array.from({ length: depth }, () => new Map<Cell, Load>());
  for (const [cell, all] of leaving) live[cell.last]?.set(cell, loadOf([...all]));
  const nets = live.map((loads, layer) =>
    mergeAlike(loads).flatMap(({ load, sources }): Net[] => {
      const ending = load.arrivals.filter(({ cell }) => cell.first === layer + 1);
      const passing = ending.length === 0 ? load : loadOf(load.arrivals.filter(({ cell }) => cell.first > layer + 1));
      const lane = passing.arrivals.length === 0 ? undefined : continueLane(sources, passing, layer + 1);
      if (lane && lane.first === lane.last) cells.push(lane);
      if (lane) live[layer + 1]?.set(lane, passing);
      join(sources, [...ending.map(({ cell }) => cell), ...(lane ? [lane] : [])]);
      const unmoved = sources.length === 1 && sources[0] === lane && ending.length === 0;
      return unmoved ? [] : [{ sources, arrivals: ending, lane }];
    }),
  );
  return { cells, nodes: cellOf, ends, nets };
}

function mergeAlike(loads: ReadonlyMap<Cell, Load>): { load: Load; sources: Cell[] }[] {
  const byKey = new Map<string, { load: Load; sources: Cell[] }>();
  for (const [cell, load] of loads) {
    const alike = byKey.get(load.key);
    if (alike) alike.sources.push(cell);
    else byKey.set(load.key, { load, sources: [cell] });
  }
  return [...byKey.values()];
}

function join(sources: readonly Cell[], targets: readonly Cell[]): void {
  for (const target of targets) {
    for (const source of sources) {
      if (source === target) continue;
      source.below.push(target);
      target.above.push(source);
    }
  }
}

/** Extends the lane among `sources` by one layer, or creates a lane. */
function continueLane(sources: readonly Cell[], passing: Load, layer: number): Cell {
  const lane = sources.find(({ node }) => !node);
  if (lane) {
    lane.last = layer;
    return lane;
  }
  const groups = new Set([...sources, ...passing.arrivals.map(({ cell }) => cell)].map(({ group }) => group));
  return newCell(layer, groups.size === 1 ? sources[0]?.group : undefined);
}

function newCell(layer: number, group: string | undefined, node?: DrawnNode): Cell {
  return { ...(node && { node }), group, first: layer, last: layer, above: [], below: [] };
}

function loadOf(arrivals: readonly Arrival[]): Load {
  const sorted = [...arrivals].sort((a, b) => a.rank - b.rank);
  return { arrivals: sorted, key: sorted.map(({ rank }) => rank).join() };
}
