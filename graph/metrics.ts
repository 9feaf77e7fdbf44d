import type { DrawnNode } from './drawn-graph.ts';

/** Sizes in the units of a drawing: characters or pixels. All are integers. */
export interface Metrics {
  readonly nodeWidth: (node: DrawnNode) => number;
  readonly nodeHeight: (node: DrawnNode) => number;
  readonly labelWidth: (label: string) => number;
  readonly columnGap: number;
  readonly laneWidth: number;
  /** The minimum distance between parallel lines. */
  readonly lineGap: number;
  /** From the nodes' lower edge to the first horizontal line. */
  readonly trackInset: number;
  readonly trackHeight: number;
  readonly labelHeight: number;
  /** From the last horizontal line, or the labels, to the next nodes. */
  readonly arrowHeight: number;
  readonly phaseHeading: number;
  readonly groupHeading: number;
  readonly groupPadding: number;
}
