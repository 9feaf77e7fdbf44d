import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type Difference, diffFields, type Fields, type FieldValue, Hidden, showDifference } from '../../resources/fields.ts';
import { caseCount } from '../support/random-cases.ts';

const value: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.string().map((text) => new Hidden(text)),
);
/** Few names, so that both sides often have the same ones; some are those of JavaScript itself. */
const names = fc.constantFrom('partitions', 'config.retention.ms', 'a', 'b', '__proto__', 'constructor', 'toString');
const fields: fc.Arbitrary<Fields> = fc.array(fc.tuple(names, value)).map((entries) => Object.fromEntries(new Map(entries)));

/** What a server has after it has made the changes. */
function applied(actual: Fields, differences: readonly Difference[]): Fields {
  const result = new Map(Object.entries(actual));
  for (const { field, declared } of differences) {
    if (declared === undefined) result.delete(field);
    else result.set(field, declared);
  }
  return Object.fromEntries(result);
}

describe('differences between declared and actual fields', () => {
  const numRuns = caseCount(1_000, 100_000);

  it('are none after they were applied, and none of equal fields', () => {
    fc.assert(
      fc.property(fields, fields, (declared, actual) => {
        assert.deepEqual(diffFields(declared, applied(actual, diffFields(declared, actual))), []);
        assert.deepEqual(diffFields(declared, declared), []);
      }),
      { numRuns },
    );
  });

  it('are each shown once, and never with a hidden value', () => {
    fc.assert(
      fc.property(fields, fields, (declared, actual) => {
        const found = diffFields(declared, actual);
        assert.equal(new Set(found.map(({ field }) => field)).size, found.length);
        for (const difference of found) {
          const { actual: before, declared: after } = difference;
          const shown = showDifference(difference);
          const isHidden = before instanceof Hidden || after instanceof Hidden;
          for (const text of [shown.actual, shown.declared]) if (isHidden && text !== null) assert.equal(text, '(hidden)');
          assert.deepEqual([shown.actual === null, shown.declared === null], [before === undefined, after === undefined]);
        }
      }),
      { numRuns },
    );
  });

  it('compare values as servers store them, as text', () => {
    assert.deepEqual(diffFields({ a: 1, b: true, c: new Hidden('x') }, { a: '1', b: 'true', c: 'x' }), []);
  });
});
