import type { DrawnGraph, DrawnNode } from './drawn-graph.ts';
import { assignLayers } from './layers.ts';
import { plainText } from './text.ts';

/** Draws a graph as a Mermaid flowchart. Nodes are named `n0`, `n1`… and all text is quoted, so that no label can break the syntax. */
export function drawMermaid(graph: DrawnGraph): string {
  const layers = assignLayers(graph);
  const nodes = graph.nodes.toSorted((a, b) => (layers.get(a.id) ?? 0) - (layers.get(b.id) ?? 0));
  const idOf = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const later = nodes.flatMap(({ id, phase = 'tasks' }) => (phase === 'tasks' ? [] : (idOf.get(id) ?? [])));
  const lines = [
    ...drawBoxes(boxesOf(nodes), (node) => `${idOf.get(node.id)}[${quote(node.label, node.detail)}]`),
    ...graph.edges.flatMap(({ from, to, label = '' }) => {
      const [start, end] = [idOf.get(from), idOf.get(to)];
      if (start === undefined || end === undefined) return [];
      return `${start} -->${plainText(label) === '' ? '' : `|${quote(label)}|`} ${end}`;
    }),
    // Invisible links keep each phase below the previous one.
    ...nodes.flatMap((node, index) => (index > 0 && nodes[index - 1]?.phase !== node.phase ? `n${index - 1} ~~~ n${index}` : [])),
    ...(later.length === 0 ? [] : ['classDef later stroke-dasharray:5 5', `class ${later.join(',')} later`]),
  ];
  return ['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n');
}

interface Box {
  readonly title: string | undefined;
  readonly inside: DrawnNode[];
  readonly boxes: Map<string, Box>;
}

/** Groups become boxes, nested as the groups are. Each later phase is a box too. Other tasks are not in a box. */
function boxesOf(nodes: readonly DrawnNode[]): readonly Box[] {
  const boxes = new Map<string, Box>();
  const boxIn = (within: Map<string, Box>, key: string, title: string | undefined): Box => {
    const box = within.get(key) ?? { title, inside: [], boxes: new Map() };
    within.set(key, box);
    return box;
  };
  for (const node of nodes) {
    const { group, phase = 'tasks' } = node;
    const names = group === undefined ? [] : group.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.'));
    const [first, ...inner] = names;
    let box = boxIn(boxes, JSON.stringify([phase, first]), first ?? (phase === 'tasks' ? undefined : phase));
    for (const name of inner) box = boxIn(box.boxes, name, name);
    box.inside.push(node);
  }
  return [...boxes.values()];
}

function drawBoxes(boxes: readonly Box[], drawNode: (node: DrawnNode) => string): string[] {
  let count = 0;
  const draw = ({ title, inside, boxes: inner }: Box): string[] => {
    const id = count++;
    const lines = [...inside.map(drawNode), ...[...inner.values()].flatMap(draw)];
    return title === undefined ? lines : [`subgraph g${id}[${quote(title)}]`, ...lines.map((line) => `  ${line}`), 'end'];
  };
  return boxes.flatMap(draw);
}

/** Keeps letters, digits and a few harmless marks. Replaces other characters by numeric codes (`#34;`), as Mermaid requires. */
function quote(...lines: readonly (string | undefined)[]): string {
  const escaped = lines.flatMap((line) =>
    line === undefined ? [] : plainText(line).replace(/[^\p{L}\p{N}\p{M} _.,:=×·…-]/gu, (mark) => `#${mark.codePointAt(0)};`),
  );
  return `"${escaped.join('<br/>')}"`;
}
