import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'mocha';
import { withinTime } from '../../lib/time-limit.ts';
import { startProcess } from '../support/processes.ts';
import { testStack } from '../support/test-stack.ts';

/** Time limit for a worker to stop. Milliseconds. */
const PATIENCE_MS = 30_000;

describe('a worker whose output is no longer read', function () {
  this.timeout('10m');

  it('continues without a log, and stops when it is asked to', async () => {
    const { environment } = await testStack(['temporal']);
    const worker = startProcess('worker.ts', [], { ...environment, SLUICE_TASK_QUEUE: `closed-${randomUUID().slice(0, 8)}` });
    await worker.says('ready');
    worker.child.stdout?.destroy();
    worker.child.stderr?.destroy();
    const code = await withinTime(PATIENCE_MS, undefined, () => worker.stop()).finally(() => worker.child.kill('SIGKILL'));
    assert.equal(code, 0);
  });
});

describe('a command whose output is read in part', () => {
  it('ends without an error', async () => {
    const command = startProcess('cli.ts', ['schema'], {});
    command.child.stdout?.once('data', () => command.child.stdout?.destroy());
    assert.deepEqual([await command.exited, command.stderr()], [0, '']);
  });
});
