import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { kafkaSetting } from '../../support/kafka.ts';

describe('connections on which nothing waits to be sent', function () {
  this.timeout('30s');
  const setting = kafkaSetting();

  it('rest: they set no timer whose time is over', async () => {
    const { setTimeout: original } = globalThis;
    const waits: (number | undefined)[] = [];
    // The client finds the global one at each call.
    globalThis.setTimeout = Object.assign(
      ((run: () => void, ms?: number) => (waits.push(ms), original(run, ms))) as typeof setTimeout,
      original,
    );
    try {
      for (let n = 0; n < 3; n++) await setting.kafka.admin.listTopics();
      await new Promise((resolve) => original(resolve, 50));
    } finally {
      globalThis.setTimeout = original;
    }
    assert.deepEqual(
      waits.filter((ms) => ms !== undefined && ms <= 0),
      [],
    );
  });
});
