import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { linkedController } from '../../lib/linked-controller.ts';
import { TimeLimitExceeded, withinTime } from '../../lib/time-limit.ts';
import { openBlackHole } from '../support/black-hole.ts';

const never = (): Promise<never> => new Promise(() => undefined);

describe('time limits', function () {
  this.timeout(60_000);

  it('fire while the garbage collector runs, with a service that never answers', async () => {
    const service = await openBlackHole();
    try {
      const args = ['--expose-gc', '--import', 'tsx', join(ROOT, 'test/support/silent-calls.ts'), `http://${service.address}`];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
      assert.equal(stdout, '25 of 25');
    } finally {
      service.close();
    }
  });

  it('end work that does not heed its signal', async () => {
    await assert.rejects(withinTime(20, undefined, never), (error) => error instanceof TimeLimitExceeded && error.limitMs === 20);
  });

  it('hide what a driver makes of the abort', async () => {
    const work = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket hang up'))));
    await assert.rejects(withinTime(20, undefined, work), TimeLimitExceeded);
  });

  it('give the reason of the parent, before and during the work, and leave no listener on it', async () => {
    const reason = new Error('cancelled');
    const parent = new AbortController();
    const working = withinTime(60_000, parent.signal, never);
    parent.abort(reason);
    await assert.rejects(working, reason);
    assert.deepEqual(getEventListeners(parent.signal, 'abort'), []);
    let isStarted = false;
    await assert.rejects(
      withinTime(60_000, parent.signal, async () => (isStarted = true)),
      reason,
    );
    assert.equal(isStarted, false);
  });

  it('leave the result, the error and the signal of work in time as they are', async () => {
    let last: AbortSignal | undefined;
    assert.equal(await withinTime(60_000, undefined, async (signal) => ((last = signal), 7)), 7);
    await assert.rejects(
      withinTime(60_000, undefined, () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    );
    assert.equal(last?.aborted, false);
  });

  it('of more than 24 days do not fire at once', async () => {
    assert.equal(await withinTime(90 * 86_400_000, undefined, () => new Promise((resolve) => setTimeout(() => resolve(1), 20))), 1);
  });

  it('a linked controller is aborted with its parent, or alone without it', () => {
    const parent = new AbortController();
    const [child, other] = [linkedController(parent.signal), linkedController(parent.signal)];
    child.abort('own');
    assert.deepEqual([child.signal.aborted, other.signal.aborted, parent.signal.aborted], [true, false, false]);
    parent.abort('of all');
    assert.deepEqual(
      [child.signal.reason, other.signal.reason, linkedController(parent.signal).signal.reason],
      ['own', 'of all', 'of all'],
    );
    assert.equal(linkedController().signal.aborted, false);
  });
});
