import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RecentMap } from '../../lib/recent-map.ts';

describe('a map of what was used recently', () => {
  it('holds no more than its limit, and keeps what is read', () => {
    const map = new RecentMap<number>(3);
    for (const number of [1, 2, 3]) map.set(String(number), number);
    assert.equal(map.get('1'), 1);
    map.set('4', 4);
    assert.deepEqual(
      ['1', '2', '3', '4'].map((key) => map.get(key)),
      [1, undefined, 3, 4],
    );
    for (let number = 0; number < 10_000; number++) map.set(String(number), number);
    assert.equal(map.size, 3);
  });
});
