import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { boundedId, idBeginning, MAX_ID_BYTES } from '../../../workflows/plan/values/bounded-id.ts';
import { sha256Hex } from '../../../workflows/plan/values/sha256.ts';
import { caseCount } from '../../support/random-cases.ts';

const long = fc.string({ unit: 'binary', minLength: 40, maxLength: 300 });

describe('ids in at most 255 bytes', () => {
  it('are short, begin as their text does, and are different for different texts', () => {
    fc.assert(
      fc.property(long, long, (one, other) => {
        const id = boundedId(one);
        assert.ok(Buffer.byteLength(id) <= MAX_ID_BYTES);
        assert.ok(id.startsWith(idBeginning(one)));
        assert.ok(boundedId(`${one}${other}`).startsWith(idBeginning(one)) || idBeginning(one) !== idBeginning(`${one}${other}`));
        assert.equal(id === boundedId(other), one === other);
        // Whoever chooses the id of another text has another one.
        if (id !== one) assert.notEqual(boundedId(id), id);
      }),
      { numRuns: caseCount(500) },
    );
    assert.equal(boundedId('a'.repeat(MAX_ID_BYTES)), 'a'.repeat(MAX_ID_BYTES));
  });

  it('have the SHA-256 of any text', () => {
    fc.assert(
      fc.property(long, (text) => assert.equal(sha256Hex(text), createHash('sha256').update(text).digest('hex'))),
      { numRuns: caseCount(300) },
    );
  });
});
