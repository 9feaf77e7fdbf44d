import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { before, describe, it } from 'mocha';
import type { Environment } from '../../../lib/environment.ts';
import { connectWorker } from '../../../temporal/worker/connect-worker.ts';
import { groupOf } from '../../../temporal/worker/worker-group.ts';
import { testStack } from '../../support/test-stack.ts';
import '../../support/temporal-worker.ts';

describe('workers in one process', function () {
  this.timeout('1m');
  let environment: Environment;
  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
  });

  it('when one fails the others stop, and the group says why it failed', async () => {
    const { connection, namespace } = await connectWorker(environment);
    const activities = { nothing: async (): Promise<null> => null };
    const [good, bad] = await Promise.all(
      ['good', 'bad'].map((name) => Worker.create({ connection, namespace, taskQueue: `${name}-${randomUUID()}`, activities })),
    );
    assert.ok(good && bad);
    // A worker runs once: the second time is a failure that it has at once.
    const running = bad.run();
    await assert.rejects(groupOf([good, bad], connection).run(), /Poller was already started/);
    assert.equal(good.getState(), 'STOPPED');
    await running;
    // The group has closed it, unless the first run of the bad one still held it.
    await connection.close().catch(() => undefined);
  });
});
