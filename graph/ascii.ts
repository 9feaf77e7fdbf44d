import { type DrawnGraph, type DrawnNode, type Phase, PHASES } from './drawn-graph.ts';
import { type Layout, layOut, type PlacedNode, type Point } from './layout.ts';
import type { Metrics } from './metrics.ts';
import { clip, columnsOf, plainText } from './text.ts';

export interface AsciiLimits {
  readonly maxNodes: number;
  readonly maxColumns: number;
}

/** The longest text in a box. */
const MAX_TEXT = 44;

const CHARACTERS: Metrics = {
  nodeWidth: (node) => Math.max(...linesOf(node).map(columnsOf)) + 4,
  nodeHeight: (node) => linesOf(node).length + 2,
  labelWidth: (label) => columnsOf(labelText(label)),
  columnGap: 2,
  laneWidth: 1,
  lineGap: 1,
  trackInset: 0,
  trackHeight: 1,
  labelHeight: 1,
  arrowHeight: 1,
  phaseHeading: 2,
  groupHeading: 0,
  groupPadding: 0,
};

const UP = 1;
const DOWN = 2;
const LEFT = 4;
const RIGHT = 8;
const ALL = UP | DOWN | LEFT | RIGHT;
const CROSSING = ALL;
const TURN = 16;
/** Indexed by the directions in which a cell has lines. */
const LINES = [...' │││─┘┐┤─└┌├─┴┬┼'];

/**
 * Draws a graph with box characters. Returns undefined if it exceeds `limits`. Lines that meet without a corner cross (`─│─`).
 */
export function drawAscii(graph: DrawnGraph, limits: AsciiLimits): string | undefined {
  if (graph.nodes.length > limits.maxNodes) return undefined;
  const layout = layOut(graph, CHARACTERS);
  return layout.width > limits.maxColumns ? undefined : paint(layout);
}

/** Lists a graph that is too large to draw: each node with its upstream nodes. */
export function listAscii({ nodes, edges }: DrawnGraph): string {
  const names = new Map(nodes.map(({ id, label }) => [id, plainText(label)]));
  const upstream = new Map<string, { name: string; label: string | undefined }[]>();
  for (const { from, to, label } of edges) {
    const name = names.get(from);
    if (name !== undefined) upstream.set(to, [...(upstream.get(to) ?? []), { name, label }]);
  }
  const sections = PHASES.flatMap((phase) => {
    const lines = nodes
      .filter((node) => (node.phase ?? 'tasks') === phase)
      .map(({ id, label }) => [plainText(label), ...afterwards(upstream.get(id) ?? [])].join('  '));
    return lines.length === 0 ? [] : [[...(phase === 'tasks' ? [] : [headingOf(phase)]), ...lines].join('\n')];
  });
  return sections.join('\n\n');
}

/** `after a, b (on b's line)`, or `after a, b (all: on all lines)`. */
function afterwards(upstream: readonly { name: string; label: string | undefined }[]): string[] {
  if (upstream.length === 0) return [];
  const [label, ...others] = new Set(upstream.map((each) => each.label));
  const shared = upstream.length > 1 && others.length === 0 && label !== undefined ? ` (all: ${plainText(label)})` : '';
  const names = upstream.map((each) => (shared || each.label === undefined ? each.name : `${each.name} (${plainText(each.label)})`));
  return [`after ${names.join(', ')}${shared}`];
}

const headingOf = (phase: Phase) => `── ${phase} ──`;

function linesOf({ label, detail }: DrawnNode): string[] {
  return [label, ...(detail === undefined ? [] : [detail])].map((text) => clip(plainText(text), MAX_TEXT));
}

const labelText = (label: string) => clip(plainText(label), MAX_TEXT);

function paint({ width, height, nodes, edges, labels, phases }: Layout): string {
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  const write = (x: number, y: number, text: string) => {
    const row = grid[y] ?? [];
    for (const character of text) {
      const columns = columnsOf(character);
      // A combining mark joins the previous character, and a wide character leaves its second column empty.
      if (columns === 0) row[x - 1] += character;
      else row[x] = character;
      if (columns === 2) row[x + 1] = '';
      x += columns;
    }
  };
  for (const { x, y, glyph } of linesAlong(edges.map(({ points }) => points))) write(x, y, glyph);
  for (const node of nodes) paintBox(node, write);
  for (const { points } of edges) {
    const [start, end] = [points[0], points.at(-1)];
    if (start) write(start.x, start.y - 1, '┬');
    if (end) write(end.x, end.y - 1, '▼');
  }
  for (const { x, y, text } of labels) write(Math.max(0, x - Math.floor((columnsOf(labelText(text)) - 1) / 2)), y, labelText(text));
  for (const { phase, y } of phases) write(0, y, headingOf(phase));
  return grid.map((row) => row.join('').trimEnd()).join('\n');
}

/** Draws the box of a node; dashed if it runs after `tasks`. */
function paintBox({ node, x, y, width }: PlacedNode, write: (x: number, y: number, text: string) => void): void {
  const dashed = (node.phase ?? 'tasks') !== 'tasks';
  const edge = (dashed ? '╌' : '─').repeat(width - 2);
  const side = dashed ? '╎' : '│';
  const lines = linesOf(node).map((line) => `${side} ${line}${' '.repeat(width - 3 - columnsOf(line))}${side}`);
  for (const [index, line] of [`┌${edge}┐`, ...lines, `└${edge}┘`].entries()) write(x, y + index, line);
}

/** The characters along `paths`. Lines join at corners; elsewhere they cross, and the vertical line is drawn unbroken. */
function linesAlong(paths: readonly (readonly Point[])[]): { x: number; y: number; glyph: string }[] {
  const cells = new Map<string, { x: number; y: number; bits: number }>();
  const mark = (x: number, y: number, bits: number) => {
    const key = `${x},${y}`;
    const cell = cells.get(key) ?? { x, y, bits: 0 };
    cell.bits |= bits;
    cells.set(key, cell);
  };
  for (const path of paths) {
    if (path[0]) mark(path[0].x, path[0].y, UP);
    for (const [index, to] of path.entries()) {
      const from = path[index - 1];
      if (!from) continue;
      if (index > 1) mark(from.x, from.y, TURN);
      const [ahead, back] = from.x === to.x ? [DOWN, UP] : to.x > from.x ? [RIGHT, LEFT] : [LEFT, RIGHT];
      const [stepX, stepY] = [Math.sign(to.x - from.x), Math.sign(to.y - from.y)];
      for (let { x, y } = from; x !== to.x || y !== to.y; x += stepX, y += stepY) {
        mark(x, y, ahead);
        mark(x + stepX, y + stepY, back);
      }
    }
  }
  return [...cells.values()].map(({ x, y, bits }) => ({ x, y, glyph: (bits === CROSSING ? '│' : LINES[bits & ALL]) ?? ' ' }));
}
