import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { fuzzCompiler } from '../../bench/compile/fuzz.ts';

describe('the compiler under fire', () => {
  it('neither crashes nor refuses without a place, whatever it is given', function () {
    this.timeout('2m');
    // `npm run bench -- compile` does fifty times as many, and measures them.
    const { runs, unplaced, changing } = fuzzCompiler(2000, 20_240_101);
    assert.equal(runs, 2000);
    assert.deepEqual(unplaced, []);
    assert.deepEqual(changing, []);
  });
});
