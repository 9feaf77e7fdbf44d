import type { Arrival, Cell, Net } from './bundle-edges.ts';

export interface Room {
  readonly left: (cell: Cell) => number;
  readonly width: (cell: Cell) => number;
  readonly lineGap: number;
  readonly labelWidth: (label: string) => number;
}

/** The lines of one net: down from each source, along one track, down to each arrival. */
export interface Route {
  readonly net: Net;
  readonly outs: ReadonlyMap<Cell, number>;
  readonly ins: ReadonlyMap<Arrival, number>;
  /** The column of the net's lane. */
  readonly lane: number | undefined;
  /** Counted from the upper layer; absent: the lines go straight down. */
  readonly track?: number;
}

/** Wide enough for a line to enter between two lines from above. */
const PORT_GAPS = 3;

/** The minimum width of a node at which all `arrivals`, one per incoming net, fit side by side. */
export function portsWidth(arrivals: readonly Arrival[], { lineGap, labelWidth }: Pick<Room, 'lineGap' | 'labelWidth'>): number {
  const shared = sharesLabel(arrivals);
  const ports = arrivals.reduce((sum, arrival) => sum + portWidth(arrival, shared, { lineGap, labelWidth }), 0);
  return Math.max(ports, labelWidth((shared && arrivals[0]?.label) || '')) + 2 * lineGap;
}

/** Whether all incoming lines share one label, which is then written once. */
export function sharesLabel(arrivals: readonly Arrival[]): boolean {
  return new Set(arrivals).size === 1;
}

function portWidth({ label }: Arrival, shared: boolean, { lineGap, labelWidth }: Pick<Room, 'lineGap' | 'labelWidth'>): number {
  return PORT_GAPS * lineGap + (shared || label === undefined ? 0 : labelWidth(label));
}

/** Routes all nets between two layers. Lines of different nets cross at right angles and never overlap. */
export function routeNets(nets: readonly Net[], room: Room): Route[] {
  const centre = (cell: Cell) => room.left(cell) + Math.floor(room.width(cell) / 2);
  const started = nets.filter(({ lane, sources }) => lane && !sources.includes(lane));
  const leaving = nets.map((net) => {
    const taken = started.flatMap((other) => (other === net || !other.lane ? [] : centre(other.lane)));
    const outOf = (cell: Cell) => (cell.node ? freeColumn(centre(cell), wallsOf(cell, room), taken, room.lineGap) : centre(cell));
    return { net, outs: new Map(net.sources.map((cell) => [cell, outOf(cell)])), ins: new Map<Arrival, number>() };
  });
  enterNodes(leaving, room);
  return assignTracks(
    leaving.map((route) => ({ ...route, lane: route.net.lane && centre(route.net.lane) })),
    room.lineGap,
  );
}

type Walls = readonly [min: number, max: number];

const wallsOf = (cell: Cell, { left, width, lineGap }: Room): Walls => [left(cell) + lineGap, left(cell) + width(cell) - 1 - lineGap];

/** The column nearest to `ideal` that keeps its distance from `taken`; `ideal` itself if there is none. */
function freeColumn(ideal: number, [min, max]: Walls, taken: readonly number[], lineGap: number): number {
  for (let distance = 0; distance <= max - min; distance++) {
    for (const column of [ideal + distance, ideal - distance]) {
      if (column >= min && column <= max && taken.every((other) => Math.abs(other - column) >= lineGap)) return column;
    }
  }
  return ideal;
}

/** Chooses the columns where lines enter nodes. The ports of a node are ordered like the starts of their lines. */
function enterNodes(routes: readonly (Pick<Route, 'net' | 'outs'> & { ins: Map<Arrival, number> })[], room: Room): void {
  const columns = routes.flatMap((route) => [...route.outs.values()].map((column) => ({ route, column })));
  const ports = new Map<Cell, { route: (typeof routes)[number]; arrival: Arrival; from: number }[]>();
  for (const route of routes) {
    const from = [...route.outs.values()].reduce((sum, column) => sum + column, 0) / route.outs.size;
    for (const arrival of route.net.arrivals) ports.set(arrival.cell, [...(ports.get(arrival.cell) ?? []), { route, arrival, from }]);
  }
  for (const [cell, all] of ports) {
    const [min, max] = wallsOf(cell, room);
    const shared = sharesLabel(all.map(({ arrival }) => arrival));
    const needs = all.sort((a, b) => a.from - b.from).map(({ arrival }) => portWidth(arrival, shared, room));
    const share = (max - min + 1) / needs.reduce((sum, need) => sum + need, 0);
    let start = min;
    for (const [index, { route, arrival, from }] of all.entries()) {
      const end = start + (needs[index] ?? 0) * share;
      const middle = Math.floor((start + end) / 2);
      // Prefer a straight line to one into the middle, unless it would enter near the edge.
      const straight = route.outs.size === 1 && Math.abs(from - middle) <= (end - start) / 4 && (shared || arrival.label === undefined);
      const taken = columns.flatMap((other) => (other.route === route ? [] : other.column));
      const walls: Walls = [Math.ceil(start), Math.ceil(end) - 1];
      route.ins.set(arrival, freeColumn(straight ? from : middle, walls, taken, room.lineGap));
      start = end;
    }
  }
}

/** Assigns the horizontal lines to as few tracks as possible. */
function assignTracks(routes: readonly Route[], lineGap: number): Route[] {
  const placed: { track: number; min: number; max: number; ending: number[] }[] = [];
  const wanting = routes.map((route) => {
    const { net, outs, ins, lane } = route;
    const columns = [...outs.values(), ...ins.values(), ...(lane === undefined ? [] : [lane])];
    const ending = [...outs].flatMap(([cell, column]) => (cell.node || cell === net.lane ? [] : column));
    const begin = net.lane && outs.has(net.lane) ? undefined : lane;
    return { route, min: Math.min(...columns), max: Math.max(...columns), ending, begin };
  });
  // Place ending lanes first: a lane that starts in the column of an ending lane must turn into it below.
  wanting.sort((a, b) => Number(a.begin !== undefined) - Number(b.begin !== undefined) || a.min - b.min);
  return wanting.map(({ route, min, max, ending, begin }) => {
    if (min === max) return route;
    const ends = placed.filter((other) => begin !== undefined && other.ending.some((column) => Math.abs(column - begin) < lineGap));
    let track = ends.reduce((lowest, other) => Math.max(lowest, other.track + 1), 0);
    while (placed.some((other) => other.track === track && other.min - lineGap <= max && min <= other.max + lineGap)) track++;
    placed.push({ track, min, max, ending });
    return { ...route, track };
  });
}
