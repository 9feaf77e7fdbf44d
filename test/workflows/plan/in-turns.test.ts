import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { inTurns } from '../../../workflows/plan/values/in-turns.ts';

/** The items that were begun, and how many at the same time. */
async function play(items: readonly number[], atOnce: number, work: (item: number) => Promise<boolean | void>) {
  const begun: number[] = [];
  let [active, most] = [0, 0];
  const end = await inTurns(items, atOnce, async (item) => {
    begun.push(item);
    most = Math.max(most, ++active);
    try {
      return await work(item);
    } finally {
      active--;
    }
  }).catch((error: unknown) => String(error));
  return { begun, most, end };
}
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('inTurns', () => {
  it('starts all in order, and never more than the limit at once', async () => {
    const items = Array.from({ length: 9 }, (_, index) => index);
    assert.deepEqual(await play(items, 4, soon), { begun: items, most: 4, end: undefined });
    assert.deepEqual(await play(items.slice(0, 2), 4, soon), { begun: [0, 1], most: 2, end: undefined });
    assert.deepEqual(await play([], 4, soon), { begun: [], most: 0, end: undefined });
  });

  it('starts no further one when an item requests it, or has failed', async () => {
    const stop = async (item: number): Promise<boolean> => {
      await soon();
      return item !== 1;
    };
    assert.deepEqual((await play([0, 1, 2, 3, 4, 5], 2, stop)).begun.length < 5, true);
    const fail = async (item: number): Promise<void> => {
      await soon();
      if (item === 1) throw new Error('1 is bad');
    };
    const { begun, end } = await play([0, 1, 2, 3, 4, 5], 2, fail);
    assert.equal(end, 'Error: 1 is bad');
    assert.ok(begun.length < 5, String(begun));
  });
});
