/** The parts of a pipeline, in the order in which they run. */
export const PHASES = ['tasks', 'on_failure', 'on_success', 'finally'] as const;
export type Phase = (typeof PHASES)[number];

/** A task graph for drawing, without positions. It may contain cycles. */
export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

export interface DrawnNode {
  /** Unique in its graph. */
  readonly id: string;
  readonly label: string;
  /** A second line in a subdued style. */
  readonly detail?: string;
  /** Nodes of one group are kept together. */
  readonly group?: string;
  /** Absent: `tasks`. */
  readonly phase?: Phase;
}

export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}
