import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseRateLimit, RateLimiter } from '../../lib/rate-limit.ts';

const { signal: never } = new AbortController();

describe('a rate limit', () => {
  for (const [text, limit] of [
    ['1000/m', { requests: 1_000, periodMs: 60_000 }],
    ['5/s', { requests: 5, periodMs: 1_000 }],
    ['100000/h', { requests: 100_000, periodMs: 3_600_000 }],
    ['100001/h', undefined],
    ['0/s', undefined],
    ['1000', undefined],
    ['1000/min', undefined],
    ['1.5/s', undefined],
    ['1000 / m', undefined],
    ['10/toString', undefined],
  ] as const) {
    it(`${text}: ${limit ? 'valid' : 'refused'}`, () => assert.deepEqual(parseRateLimit(text), limit));
  }

  it('holds in every period, wherever it begins', async () => {
    let now = 0;
    const limiter = new RateLimiter({ requests: 5, periodMs: 1_000 }, () => now);
    const starts: number[] = [];
    for (let request = 0; request < 200; request++) {
      // Bursts, then pauses of different lengths.
      if (request % 13 === 0) now += (request * 37) % 1_500;
      now += Math.max(0, limiter.waitMs);
      await limiter.take(never);
      starts.push(now);
    }
    for (const [index, start] of starts.entries()) assert.ok((starts[index + 5] ?? Infinity) - start >= 1_000, `from ${start} ms`);
    // The limit is used in full: a burst needs no more than its share of periods.
    assert.deepEqual(starts.slice(0, 11), [0, 0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000]);
  });

  it('counts no request whose wait was aborted', async () => {
    let now = 0;
    const limiter = new RateLimiter({ requests: 1, periodMs: 60_000 }, () => now);
    await limiter.take(never);
    const controller = new AbortController();
    const waiting = limiter.take(controller.signal);
    controller.abort(new Error('canceled'));
    await assert.rejects(waiting, /canceled/);
    now = 60_000;
    await limiter.take(never);
    assert.equal(limiter.waitMs, 60_000);
  });
});
