import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { changedData, followHint } from '../../bench/compile/follow-hint.ts';
import { fuzzCompiler } from '../../bench/compile/fuzz.ts';
import type { Diagnostic } from '../../compiler/mistakes/diagnostic.ts';
import { caseCount } from '../support/random-cases.ts';

describe('the compiler under fire', () => {
  it('neither crashes nor refuses without a position, for any input; no suggestion makes a file good with other data', function () {
    this.timeout('2m');
    // `npm run bench -- compile` does fifty times as many, and measures them.
    const { runs, unplaced, changing, mended } = fuzzCompiler(caseCount(2_000), 20_240_101);
    assert.equal(runs, caseCount(2_000));
    assert.deepEqual(unplaced, []);
    assert.deepEqual(changing, []);
    assert.ok(mended > caseCount(20), `${mended} documents were mended`);
  });

  it('distinguishes a suggestion that changes data from one that does not', () => {
    const text = 'owner: 007\nretry_delay: 90\nretires: 3\n';
    const cases: readonly (readonly [Pick<Diagnostic, 'code' | 'hint' | 'line' | 'column' | 'length'>, string | undefined])[] = [
      [{ code: 'SL203', hint: 'put it in quotes: "7"', line: 1, column: 8, length: 3 }, "'007' is now '7'"],
      [{ code: 'SL203', hint: 'put it in quotes: "007"', line: 1, column: 8, length: 3 }, undefined],
      [{ code: 'SL203', hint: "did you mean 'me'?", line: 1, column: 8, length: 3 }, "'007' is now 'me'"],
      [{ code: 'SL203', hint: 'write 1m30s for 90 seconds', line: 2, column: 14, length: 2 }, undefined],
      [{ code: 'SL203', hint: 'write 1m for 90 seconds', line: 2, column: 14, length: 2 }, "'90' is now '60'"],
      [{ code: 'SL201', hint: "did you mean 'retries'?", line: 3, column: 1, length: 7 }, undefined],
    ];
    for (const [given, wanted] of cases) {
      const diagnostic = { ...given, severity: 'error', message: '', file: 'x.yaml', sourceLine: '' } as const;
      assert.equal(changedData(text, followHint(text, diagnostic) ?? '', diagnostic), wanted, given.hint);
    }
  });
});
