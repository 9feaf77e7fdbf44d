import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { findCycle, topologicalOrder, upstreamByDistance } from '../../../workflows/plan/graph.ts';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

describe('graph', () => {
  it('orders each node after all it waits for', () => {
    assert.deepEqual(topologicalOrder(graph({ d: ['b', 'c'], c: ['a'], b: ['a'], a: [] })), ['a', 'c', 'b', 'd']);
  });
  it('shows a cycle as a path', () => {
    assert.deepEqual(findCycle(graph({ a: ['c'], b: ['a'], c: ['b'], x: ['a'] })), ['a', 'b', 'c', 'a']);
    assert.deepEqual(findCycle(graph({ a: ['a'] })), ['a', 'a']);
    assert.equal(findCycle(graph({ a: [], b: ['a'] })), undefined);
  });
  it('finds the nearest upstream first', () => {
    assert.deepEqual(upstreamByDistance(graph({ a: [], b: ['a'], c: ['a', 'b'], d: ['c'] }), 'd'), [['c'], ['a', 'b']]);
  });
  it('takes a chain of 100,000', () => {
    const chain = new Map(Array.from({ length: 100_000 }, (_, index) => [`t${index}`, index === 0 ? [] : [`t${index - 1}`]] as const));
    assert.equal(topologicalOrder(chain).length, 100_000);
  });
});
