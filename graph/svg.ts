import { listAscii } from './ascii.ts';
import type { DrawnGraph } from './drawn-graph.ts';
import { type Layout, layOut, type PlacedNode, type Point } from './layout.ts';
import type { Metrics } from './metrics.ts';
import { clip, columnsOf, plainText } from './text.ts';

/** Maximum length of a text in a box or on a line, in characters. */
const MAX_TEXT = 44;
/** The width of a character: slightly more than the widest of the fonts below. */
const CHARACTER = 8;
const MARGIN = 24;
const CORNER = 6;
const LINE_HEIGHT = 18;

const shown = (text: string) => clip(plainText(text), MAX_TEXT);
const textWidth = (text: string) => columnsOf(shown(text)) * CHARACTER;

const PIXELS: Metrics = {
  nodeWidth: ({ label, detail }) => Math.max(textWidth(label), detail === undefined ? 0 : textWidth(detail)) + 28,
  nodeHeight: ({ detail }) => (detail === undefined ? 1 : 2) * LINE_HEIGHT + 18,
  labelWidth: (label) => textWidth(label) + 8,
  columnGap: 28,
  laneWidth: 8,
  lineGap: 8,
  trackInset: 16,
  trackHeight: 12,
  labelHeight: 18,
  arrowHeight: 24,
  phaseHeading: 40,
  groupHeading: 28,
  groupPadding: 12,
};

const STYLE = `
.sluice { --paper: #ffffff; --box: #f4f6fa; --line: #5b6b82; --ink: #17202e; --quiet: #56637a; --group: #e9eef7; }
@media (prefers-color-scheme: dark) {
  .sluice { --paper: #12161d; --box: #1f2733; --line: #8fa1bb; --ink: #eef2f8; --quiet: #a9b6ca; --group: #181f2a; }
}
.sluice text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink); }
.sluice .paper { fill: var(--paper); }
.sluice .group { fill: var(--group); stroke: var(--line); stroke-opacity: 0.5; }
.sluice .node { fill: var(--box); stroke: var(--line); }
.sluice .later { stroke-dasharray: 5 4; }
.sluice .edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
.sluice .head { fill: var(--line); }
.sluice .quiet, .sluice .title, .sluice .label { fill: var(--quiet); }
.sluice .title, .sluice .label { stroke-width: 6; stroke-linejoin: round; paint-order: stroke; }
.sluice .title { stroke: var(--group); }
.sluice .label { stroke: var(--paper); text-anchor: middle; }
.sluice .divider { stroke: var(--line); stroke-dasharray: 2 4; }`;

/** Draws a graph as a self-contained SVG document, readable on light and dark pages. `title` is for screen readers. */
export function drawSvg(graph: DrawnGraph, title: string): string {
  const layout = layOut(graph, PIXELS);
  const width = layout.width + 2 * MARGIN;
  const height = layout.height + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="sluice" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escape(title)}</title>`,
    `<desc>${escape(listAscii(graph), true)}</desc>`,
    `<style>${STYLE}\n</style>`,
    '<defs><marker id="sluice-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<g transform="translate(${MARGIN} ${MARGIN})">`,
    ...body(layout),
    '</g>',
    '</svg>',
  ].join('\n');
}

function body({ width, nodes, edges, labels, groups, phases }: Layout): string[] {
  return [
    ...groups.map(({ x, y, width, height }) => `<rect class="group" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`),
    ...phases.map(({ phase, y }) => {
      const title = `<text class="quiet" x="0" y="${y + 28}">${phase}</text>`;
      return `<line class="divider" x1="0" x2="${width}" y1="${y + 8}" y2="${y + 8}"/>${title}`;
    }),
    ...edges.map(({ points }) => `<path class="edge" marker-end="url(#sluice-head)" d="${pathAlong(points)}"/>`),
    ...groups.map(({ name, x, y, width }) => {
      const title = clip(plainText(name), Math.floor(width / CHARACTER) - 2);
      return `<text class="title" x="${x + PIXELS.groupPadding}" y="${y + LINE_HEIGHT}">${escape(title)}</text>`;
    }),
    ...nodes.map(drawNode),
    ...labels.map(({ x, y, text }) => `<text class="label" x="${x}" y="${y + 13}">${escape(shown(text))}</text>`),
  ];
}

function drawNode({ node, x, y, width, height }: PlacedNode): string {
  const { label, detail, phase = 'tasks' } = node;
  const left = x + 14;
  return [
    `<g><title>${escape([label, detail].filter(Boolean).join(': '))}</title>`,
    `<rect class="node${phase === 'tasks' ? '' : ' later'}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${CORNER}"/>`,
    `<text x="${left}" y="${y + 22}">${escape(shown(label))}</text>`,
    detail === undefined ? '' : `<text class="quiet" x="${left}" y="${y + 22 + LINE_HEIGHT}">${escape(shown(detail))}</text>`,
    '</g>',
  ].join('');
}

/** Straight lines with rounded corners. */
function pathAlong(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (!before) return `M${point.x} ${point.y}`;
      if (!after) return `L${point.x} ${point.y}`;
      const [from, to] = [towards(point, before), towards(point, after)];
      return `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
    })
    .join('');
}

/** The point where the rounding of a corner starts, at most halfway to the next corner. */
function towards(corner: Point, next: Point): Point {
  const [x, y] = [next.x - corner.x, next.y - corner.y];
  const share = Math.min(CORNER, (Math.abs(x) + Math.abs(y)) / 2) / (Math.abs(x) + Math.abs(y));
  return { x: corner.x + x * share, y: corner.y + y * share };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string, lines = false): string {
  return (lines ? text : plainText(text)).replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);
}
