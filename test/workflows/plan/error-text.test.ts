import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { errorText, rootCause } from '../../../workflows/plan/values/error-text.ts';

describe('errorText', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  const cases: readonly [what: string, error: unknown, text: string][] = [
    ['an error', new TypeError('no such host'), 'no such host'],
    ['an error without a message', new RangeError(''), 'RangeError'],
    ['a connection that failed at several addresses', new AggregateError([refused, new Error('other')]), refused.message],
    ['several errors without a message, or an error', new AggregateError([]), 'AggregateError'],
    ['a text', 'stopped', 'stopped'],
    ['nothing', undefined, 'undefined'],
  ];
  for (const [what, error, text] of cases) it(`${what}: ${text}`, () => assert.equal(errorText(error), text));

  it('finds the first cause', () => {
    assert.equal(rootCause(new Error('outer', { cause: new Error('inner', { cause: refused }) })), refused);
    assert.equal(rootCause('stopped'), 'stopped');
  });
});
