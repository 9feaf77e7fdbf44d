import type { DrawnEdge, DrawnGraph, DrawnNode, Phase } from '../../graph/drawn-graph.ts';

/**
 * Parses a graph from one line: nodes separated by spaces, each with its predecessors. `a b<a c<a:label,b` has three edges; `g.x` is in
 * group `g`, and `finally/y` in a later phase.
 */
export function graphOf(text: string): DrawnGraph {
  const nodes: DrawnNode[] = [];
  const edges: DrawnEdge[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const [name = '', upstream = ''] = word.split('<');
    const [id = '', phase] = name.split('/').reverse();
    const group = id.includes('.') ? id.split('.')[0] : undefined;
    nodes.push({ id, label: id, ...(group !== undefined && { group }), ...(phase !== undefined && { phase: phase as Phase }) });
    for (const each of upstream.split(',').filter(Boolean)) {
      const [from = '', label] = each.split(':');
      edges.push({ from, to: id, ...(label !== undefined && { label }) });
    }
  }
  return { nodes, edges };
}

/** Graphs of all shapes, deterministic: sparse and dense, with and without groups, 1 to 25 nodes. */
export function assortedGraphs(count: number): DrawnGraph[] {
  let seed = 42;
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * limit);
  };
  return Array.from({ length: count }, (_, index) => {
    const groups = index % 3;
    const names = Array.from({ length: 1 + below(25) }, (_, node) => {
      const group = below(groups + 2);
      return group < groups ? `g${group}.t${node}` : `t${node}`;
    });
    const words = names.map((name, node) => {
      const upstream = Array.from({ length: node === 0 ? 0 : below(1 + (index % 4)) + (index % 2) }, () => names[below(node)]);
      return `${name}<${[...new Set(upstream)].join(',')}`;
    });
    return graphOf(words.join(' '));
  });
}

/** Texts that break formats without escaping. */
export const HOSTILE_TEXTS = [
  '"quoted" and \'quoted\'',
  '<script>alert(1)</script>',
  ']]> --> </svg> &amp; &',
  '"] --> x["',
  '|end| %%{init: {}}%% `code` #quot; ;',
  '🦥 emoji 👨‍👩‍👧 日本語',
  'bell \u0007 escape \u001b[31m line\nline\r\ttab \u0000 \u202e \ud800 \uffff',
  'x'.repeat(200),
  '',
];

export const HOSTILE_GRAPH: DrawnGraph = {
  nodes: HOSTILE_TEXTS.map((text, index) => ({ id: `${index}${text}`, label: text, detail: text, group: index % 2 ? text : 'end' })),
  edges: HOSTILE_TEXTS.slice(1).map((text, index) => ({ from: `${index}${HOSTILE_TEXTS[index]}`, to: `${index + 1}${text}`, label: text })),
};
