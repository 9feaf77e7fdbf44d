import { type DrawnGraph, type Phase, PHASES } from './drawn-graph.ts';
import type { Metrics } from './metrics.ts';
import type { Route } from './route-nets.ts';

/** The vertical position of a layer. */
export interface Row {
  /** The height of labels on incoming lines. */
  readonly labels: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Rows {
  readonly rows: readonly Row[];
  readonly phases: readonly { readonly phase: Phase; readonly y: number }[];
}

/** Stacks the layers, each with space above it for its incoming lines (`routes`, by the layer where they start). */
export function stackRows(
  { nodes }: DrawnGraph,
  layers: ReadonlyMap<string, number>,
  routes: readonly (readonly Route[])[],
  groups: readonly { readonly first: number }[],
  metrics: Metrics,
): Rows {
  const heights: number[] = [];
  const begins = new Map<Phase, number>();
  for (const node of nodes) {
    const layer = layers.get(node.id) ?? 0;
    heights[layer] = Math.max(heights[layer] ?? 0, metrics.nodeHeight(node));
    const phase = node.phase ?? 'tasks';
    begins.set(phase, Math.min(begins.get(phase) ?? layer, layer));
  }
  const phases: { phase: Phase; y: number }[] = [];
  let y = 0;
  const rows = heights.map((height, layer) => {
    const above = routes[layer - 1] ?? [];
    const tracks = above.reduce((count, { track = -1 }) => Math.max(count, track + 1), 0);
    if (layer > 0) y += metrics.trackInset + tracks * metrics.trackHeight;
    const labels = y;
    if (above.some(({ net }) => net.arrivals.some(({ label }) => label !== undefined))) y += metrics.labelHeight;
    if (layer > 0) y += metrics.arrowHeight;
    const phase = PHASES.find((each) => each !== 'tasks' && begins.get(each) === layer);
    if (phase) {
      phases.push({ phase, y });
      y += metrics.phaseHeading;
    }
    if (groups.some(({ first }) => first === layer)) y += metrics.groupHeading;
    const top = y;
    y += height;
    return { labels, top, bottom: y };
  });
  return { rows, phases };
}
