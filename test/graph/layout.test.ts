import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { countCrossings, type Segment } from '../../graph/count-crossings.ts';
import type { DrawnGraph } from '../../graph/drawn-graph.ts';
import { type Layout, layOut } from '../../graph/layout.ts';
import type { Metrics } from '../../graph/metrics.ts';
import { assortedGraphs, graphOf } from '../support/drawn-graphs.ts';
import { caseCount } from '../support/random-cases.ts';

const METRICS: Metrics = {
  nodeWidth: ({ label }) => 20 + 8 * label.length,
  nodeHeight: ({ label }) => 20 + label.length,
  labelWidth: (label) => 8 * label.length,
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

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const overlap = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const pairs = <T>(all: readonly T[]) => all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const));
const positions = ({ nodes }: Layout) => Object.fromEntries(nodes.map(({ node, layer, position }) => [node.id, [layer, position]]));

function forEachGraph(check: (layout: Layout, graph: DrawnGraph) => void): void {
  for (const graph of assortedGraphs(caseCount(150))) check(layOut(graph, METRICS), graph);
}

describe('layout', () => {
  it('puts a node one layer below the lowest that it follows', () => {
    assert.deepEqual(positions(layOut(graphOf('a b<a c<b d<a e<c,d'), METRICS)), { a: [0, 0], b: [1, 0], c: [2, 0], d: [1, 1], e: [3, 0] });
  });

  it('puts each phase below all of those before it', () => {
    const { nodes, phases } = layOut(graphOf('a b<a finally/z on_failure/x on_failure/y<x'), METRICS);
    assert.deepEqual(
      nodes.map(({ node, layer }) => `${node.id}${layer}`),
      ['a0', 'b1', 'x2', 'y3', 'z4'],
    );
    assert.deepEqual(
      phases.map(({ phase }) => phase),
      ['on_failure', 'finally'],
    );
  });

  for (const [what, text, ids] of [
    ['from nobody', 'a b<a,nobody', 'a→b'],
    ['to itself', 'a b<b,a', 'a→b'],
    ['that closes a cycle', 'a b<a,c c<b', 'a→b,b→c'],
    ['to an earlier phase', 'a<z b<a finally/z', 'a→b'],
  ] as const) {
    it(`leaves out an edge ${what}`, () => {
      const { edges } = layOut(graphOf(text), METRICS);
      assert.equal(edges.map(({ edge }) => `${edge.from}→${edge.to}`).join(), ids);
    });
  }

  it('crosses no lines where none need to cross', () => {
    // Listed so that the order as given would cross every pair.
    const { nodes } = layOut(graphOf('a b c d z<a y<b x<c w<d'), METRICS);
    const order = nodes.map(({ node }) => node.id).join('');
    assert.ok(order.endsWith('zyxw') === order.startsWith('abcd'), order);
    assert.ok(['abcdzyxw', 'dcbawxyz'].includes(order), order);
  });

  it('leads every edge down, from the lower edge of a node to the upper edge of another', () => {
    let seen = 0;
    forEachGraph(({ nodes, edges }, graph) => {
      const placed = new Map(nodes.map((node) => [node.node.id, node]));
      assert.equal(edges.length, graph.edges.length);
      for (const { edge, points } of edges) {
        const [from, to] = [placed.get(edge.from), placed.get(edge.to)];
        const [start, end] = [points[0], points.at(-1)];
        assert.ok(from && to && start && end);
        assert.ok(from.layer < to.layer);
        assert.ok(from.x < start.x && start.x < from.x + from.width && start.y === from.y + from.height);
        assert.ok(to.x < end.x && end.x < to.x + to.width && end.y === to.y);
        for (const [index, point] of points.slice(1).entries()) {
          const before = points[index] ?? point;
          assert.ok(point.x === before.x ? point.y > before.y : point.y === before.y);
        }
        seen++;
      }
    });
    assert.ok(seen > caseCount(1000));
  });

  it('overlaps no nodes, and leads no line through one', () => {
    forEachGraph(({ nodes, edges, width, height }) => {
      for (const [a, b] of pairs(nodes)) assert.ok(!overlap(a, b), `${a.node.id} ${b.node.id}`);
      for (const { x, y, width: w, height: h } of nodes) assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height);
      const lines = edges.flatMap(({ points }) =>
        points.slice(1).map((to, index) => {
          const from = points[index] ?? to;
          return { x: Math.min(from.x, to.x), y: from.y, width: Math.abs(to.x - from.x), height: to.y - from.y };
        }),
      );
      for (const node of nodes) for (const line of lines) assert.ok(!overlap(node, line), node.node.id);
    });
  });

  it('keeps a group in a box that holds its nodes and no others', () => {
    let seen = 0;
    forEachGraph(({ nodes, groups }) => {
      for (const [a, b] of pairs(groups)) assert.ok(!overlap(a, b), `${a.name} ${b.name}`);
      for (const group of groups) {
        for (const node of nodes) assert.equal(overlap(node, group), node.node.group === group.name, `${node.node.id} ${group.name}`);
        seen++;
      }
    });
    assert.ok(seen > caseCount(100));
  });

  it('puts every label on a line that it belongs to', () => {
    let seen = 0;
    for (const { nodes, edges } of assortedGraphs(caseCount(100))) {
      const layout = layOut({ nodes, edges: edges.map((edge) => ({ ...edge, label: edge.from })) }, METRICS);
      for (const { text, x, y } of layout.labels) {
        const ends = layout.edges.flatMap(({ edge, points }) => (edge.label === text ? (points.at(-1) ?? []) : []));
        assert.ok(
          ends.some((end) => end.y > y && Math.abs(end.x - x) <= METRICS.labelWidth(text) / 2),
          text,
        );
        seen++;
      }
    }
    assert.ok(seen > caseCount(500));
  });

  it('gives the same layout every time', () => {
    for (const graph of assortedGraphs(caseCount(30))) assert.deepEqual(layOut(graph, METRICS), layOut(structuredClone(graph), METRICS));
  });

  it('accepts an empty graph', () => {
    assert.deepEqual(layOut(graphOf(''), METRICS), { width: 0, height: 0, nodes: [], edges: [], labels: [], groups: [], phases: [] });
  });

  for (const [shape, upstream] of [
    ['a chain', (node: number) => [node - 1]],
    ['a star', () => [0]],
    ['a chain of which all follow the first', (node: number) => [0, node - 1]],
    ['three before each', (node: number) => [node >> 1, node >> 2, (node * 7) % node]],
    ['layers of ten, all to all', (node: number) => Array.from({ length: 10 }, (_, index) => node - (node % 10) - 10 + index)],
  ] as const) {
    const count = caseCount(1000);
    it(`takes ${count} nodes: ${shape}`, () => {
      const words = Array.from({ length: count }, (_, node) => {
        const names = node === 0 ? [] : [...new Set(upstream(node))].filter((each) => each >= 0).map((each) => `t${each}`);
        return `t${node}<${names.join(',')}`;
      });
      assert.equal(layOut(graphOf(words.join(' ')), METRICS).nodes.length, count);
    }).timeout(10_000);
  }
});

describe('countCrossings', () => {
  for (const [segments, count] of [
    [[], 0],
    [[[0, 0]], 0],
    [[[0, 1], [1, 0]], 1], // prettier-ignore
    [[[0, 1], [0, 0]], 0], // prettier-ignore
    [[[0, 1], [1, 1]], 0], // prettier-ignore
    [[[0, 2], [1, 1], [2, 0]], 3], // prettier-ignore
    [[[2, 0], [0, 1], [1, 2]], 2], // prettier-ignore
  ] as [Segment[], number][]) {
    it(`${JSON.stringify(segments)}: ${count}`, () => assert.equal(countCrossings(segments), count));
  }
});
