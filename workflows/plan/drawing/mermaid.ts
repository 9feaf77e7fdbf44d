import type { DrawnGraph, DrawnNode } from './drawn-graph.ts';
import { assignLayers } from './layers.ts';
import { plainText } from './text.ts';

/** A graph as a Mermaid flowchart. Nodes are called `n0`, `n1`… and all text is quoted, so no label can break it. */
export function drawMermaid(graph: DrawnGraph): string {
  const layers = assignLayers(graph);
  const nodes = graph.nodes.toSorted((a, b) => (layers.get(a.id) ?? 0) - (layers.get(b.id) ?? 0));
  const idOf = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const later = nodes.flatMap(({ id, phase = 'tasks' }) => (phase === 'tasks' ? [] : (idOf.get(id) ?? [])));
  const lines = [
    ...boxesOf(nodes).flatMap(({ title, inside }, index) => {
      const declared = inside.map((node) => `${idOf.get(node.id)}[${quote(node.label, node.detail)}]`);
      return title === undefined ? declared : [`subgraph g${index}[${quote(title)}]`, ...declared.map((line) => `  ${line}`), 'end'];
    }),
    ...graph.edges.flatMap(({ from, to, label = '' }) => {
      const [start, end] = [idOf.get(from), idOf.get(to)];
      if (start === undefined || end === undefined) return [];
      return `${start} -->${plainText(label) === '' ? '' : `|${quote(label)}|`} ${end}`;
    }),
    // Links that are not seen keep each phase below the one before it.
    ...nodes.flatMap((node, index) => (index > 0 && nodes[index - 1]?.phase !== node.phase ? `n${index - 1} ~~~ n${index}` : [])),
    ...(later.length === 0 ? [] : ['classDef later stroke-dasharray:5 5', `class ${later.join(',')} later`]),
  ];
  return ['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** A group is a box of its own, and so is a later phase; other tasks are in none. */
function boxesOf(nodes: readonly DrawnNode[]): { title: string | undefined; inside: DrawnNode[] }[] {
  const boxes = new Map<string, { title: string | undefined; inside: DrawnNode[] }>();
  for (const node of nodes) {
    const { group, phase = 'tasks' } = node;
    const key = JSON.stringify([phase, group]);
    const box = boxes.get(key) ?? { title: group ?? (phase === 'tasks' ? undefined : phase), inside: [] };
    box.inside.push(node);
    boxes.set(key, box);
  }
  return [...boxes.values()];
}

/** Letters, digits and a few harmless marks stay; the rest goes by its number, as Mermaid has it (`#34;`). */
function quote(...lines: readonly (string | undefined)[]): string {
  const escaped = lines.flatMap((line) =>
    line === undefined ? [] : plainText(line).replace(/[^\p{L}\p{N}\p{M} _.,:=×·…-]/gu, (mark) => `#${mark.codePointAt(0)};`),
  );
  return `"${escaped.join('<br/>')}"`;
}
