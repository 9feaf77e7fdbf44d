import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { formatDuration, parseDuration } from '../../../workflows/plan/values/duration.ts';

describe('duration', () => {
  for (const [text, ms] of [
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['250ms', 250],
    ['PT15M', 900_000],
    ['P1DT2H', 93_600_000],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }
  for (const text of ['', 'P', 'PT', '15', '15 m', '-5m', '1.5h', 'soon', '1m1h', '99999w']) {
    it(`refuses '${text}'`, () => assert.equal(parseDuration(text), undefined));
  }
  it('writes what people write', () => {
    assert.deepEqual([350, 4200, 65_000, 5_400_000, 90_000_000].map(formatDuration), ['350ms', '4.2s', '1m 5s', '1h 30m', '1d 1h']);
  });
});
