import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { drawMermaid } from '../../graph/mermaid.ts';
import { plainText } from '../../graph/text.ts';
import { assortedGraphs, graphOf, HOSTILE_GRAPH, HOSTILE_TEXTS } from '../support/drawn-graphs.ts';

/** The part of Mermaid's grammar that is used: a line that none of these takes is an error. */
const TEXT = String.raw`"((?:[\p{L}\p{N}\p{M} _.,:=×·…-]|#\d+;|<br/>)*)"`;
const LINE = {
  node: new RegExp(String.raw`^ {2,4}n\d+\[${TEXT}\]$`, 'u'),
  subgraph: new RegExp(String.raw`^ {2}subgraph g\d+\[${TEXT}\]$`, 'u'),
  end: /^ {2}end$/,
  edge: new RegExp(String.raw`^ {2}(n\d+) -->(?:\|${TEXT}\|)? (n\d+)$`, 'u'),
  below: /^ {2}n\d+ ~~~ n\d+$/,
  style: /^ {2}(classDef later stroke-dasharray:5 5|class n\d+(,n\d+)* later)$/,
};

/** The lines by kind, each with the texts in it as a reader sees them. */
function parse(mermaid: string): { kind: keyof typeof LINE; texts: string[] }[] {
  const [heading, ...lines] = mermaid.split('\n');
  assert.equal(heading, 'flowchart TD');
  return lines.map((line) => {
    for (const kind of Object.keys(LINE) as (keyof typeof LINE)[]) {
      const match = LINE[kind].exec(line);
      const texts = match?.slice(1).map((text = '') => text.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))));
      if (texts) return { kind, texts };
    }
    throw new Error(`not Mermaid: ${line}`);
  });
}

const count = (mermaid: string, kind: string) => parse(mermaid).filter((line) => line.kind === kind).length;

describe('drawMermaid', () => {
  it('draws nodes, boxes of groups, edges and labels', () => {
    const nodes = [
      { id: 'a', label: 'a', detail: 'sql' },
      { id: 'g.b', label: 'g.b', group: 'g' },
      { id: 'c', label: 'c', phase: 'finally' as const },
    ];
    assert.equal(
      drawMermaid({ nodes, edges: [{ from: 'a', to: 'g.b', label: 'yes' }, { from: 'a', to: 'nobody' }] }), // prettier-ignore
      `flowchart TD
  n0["a<br/>sql"]
  subgraph g1["g"]
    n1["g.b"]
  end
  subgraph g2["finally"]
    n2["c"]
  end
  n0 -->|"yes"| n1
  n1 ~~~ n2
  classDef later stroke-dasharray:5 5
  class n2 later`,
    );
  });

  it('has every node and edge, and closes every box', () => {
    for (const graph of assortedGraphs(50)) {
      const mermaid = drawMermaid(graph);
      assert.equal(count(mermaid, 'node'), graph.nodes.length);
      assert.equal(count(mermaid, 'edge'), graph.edges.length);
      assert.equal(count(mermaid, 'subgraph'), count(mermaid, 'end'));
    }
  });

  it('lets no text break out of its quotes', () => {
    const lines = parse(drawMermaid(HOSTILE_GRAPH));
    const labels = lines.filter(({ kind }) => kind === 'node').map(({ texts }) => texts[0]);
    assert.deepEqual(labels.sort(), HOSTILE_TEXTS.map((text) => `${plainText(text)}<br/>${plainText(text)}`).sort());
    const onLines = lines.filter(({ kind, texts }) => kind === 'edge' && texts[1] !== '').map(({ texts }) => texts[1]);
    assert.deepEqual(onLines, HOSTILE_TEXTS.slice(1).map(plainText).filter(Boolean));
  });

  it('draws an empty graph', () => assert.equal(drawMermaid(graphOf('')), 'flowchart TD'));
});
