import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { hiderOf } from '../../../activities/camel/hide-properties.ts';

describe('the values of a properties file', () => {
  for (const [properties, text] of [
    ['a=open-sesame', 'login open-sesame refused'],
    ['a = secret\nb = secret-of-bob', 'login secret-of-bob refused'],
    ['a: pass\\=word\\u0021', 'login pass=word! refused'],
    ['a=c:\\\\keys\\\\id', 'login c:\\keys\\id refused'],
  ] as const)
    it(`${JSON.stringify(properties)} are hidden as Java reads them`, () => {
      assert.equal(hiderOf(properties)(text), 'login *** refused');
    });

  it('are not hidden if they are short, or comments', () => {
    assert.equal(hiderOf('port=2222\n# note=visible text')('2222 visible text'), '2222 visible text');
  });
});
