/** Parts of a pipeline that run one after the other, in this order. */
export const PHASES = ['tasks', 'on_failure', 'on_success', 'finally'] as const;
export type Phase = (typeof PHASES)[number];

/** A task graph as pictures need it: what is to be drawn, not yet where. Needs no cycles. */
export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

export interface DrawnNode {
  /** Unique in its graph. */
  readonly id: string;
  readonly label: string;
  /** A second, quieter line. */
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
