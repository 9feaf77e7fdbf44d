import { type DrawnGraph, type DrawnNode, PHASES } from './drawn-graph.ts';
import { assignLayers } from './layers.ts';
import { plainText } from './text.ts';

/** A graph as a Mermaid flowchart. Nodes are called `n0`, `n1`… and all text is quoted, so no label can break it. */
export function drawMermaid(graph: DrawnGraph): string {
  const layers = assignLayers(graph);
  const nodes = graph.nodes.toSorted((a, b) => (layers.get(a.id) ?? 0) - (layers.get(b.id) ?? 0));
  const idOf = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const boxes = new Map<string | undefined, DrawnNode[]>();
  for (const node of nodes) {
    const box = boxes.get(boxOf(node));
    if (box) box.push(node);
    else boxes.set(boxOf(node), [node]);
  }
  const later = nodes.flatMap(({ id, phase = 'tasks' }) => (phase === 'tasks' ? [] : (idOf.get(id) ?? [])));
  const lines = [
    ...[...boxes].flatMap(([title, inside], index) => {
      const declared = inside.map((node) => `${idOf.get(node.id)}[${quote(node.label, node.detail)}]`);
      return title === undefined ? declared : [`subgraph g${index}[${quote(title)}]`, ...declared.map((line) => `  ${line}`), 'end'];
    }),
    ...graph.edges.flatMap(({ from, to, label = '' }) => {
      const [start, end] = [idOf.get(from), idOf.get(to)];
      if (start === undefined || end === undefined) return [];
      return `${start} -->${plainText(label) === '' ? '' : `|${quote(label)}|`} ${end}`;
    }),
    ...(later.length === 0 ? [] : ['classDef later stroke-dasharray:5 5', `class ${later.join(',')} later`]),
  ];
  return ['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n');
}

/** A group, or else a later phase, is a box of its own. */
function boxOf({ group, phase = PHASES[0] }: DrawnNode): string | undefined {
  return group ?? (phase === PHASES[0] ? undefined : phase);
}

/** Letters, digits and a few harmless marks stay; the rest goes by its number, as Mermaid has it (`#34;`). */
function quote(...lines: readonly (string | undefined)[]): string {
  const escaped = lines.flatMap((line) =>
    line === undefined ? [] : plainText(line).replace(/[^\p{L}\p{N}\p{M} _.,:=×·…-]/gu, (mark) => `#${mark.codePointAt(0)};`),
  );
  return `"${escaped.join('<br/>')}"`;
}
