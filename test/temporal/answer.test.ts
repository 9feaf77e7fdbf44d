import assert from 'node:assert/strict';
import { type Client, ServiceError } from '@temporalio/client';
import { describe, it } from 'mocha';
import { answered, answerIfAny } from '../../temporal/answer.ts';

/** A client whose calls fail with a code of gRPC. */
const client = { withDeadline: (_: number, ask: () => Promise<unknown>) => ask() } as Client;
const failing = (code: number, details: string) => (): Promise<never> =>
  Promise.reject(
    new ServiceError('Failed to query Workflow', {
      cause: Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} }),
    }),
  );

describe('a workflow that does not answer', () => {
  for (const [name, code, details] of [
    ['the deadline of the client', 4, 'Deadline exceeded'],
    ['the deadline of the server, which cancels the call', 1, 'context canceled'],
    ['no worker has polled for a while', 9, 'no poller seen for task queue recently'],
  ] as const) {
    it(`${name}: NoAnswer, and no entry hides the others of a list`, async () => {
      await assert.rejects(answered(client, 'pool/a', failing(code, details)), { name: 'NoAnswer' });
      assert.equal(await answerIfAny(client, 'pool/a', failing(code, details)), undefined);
    });
  }

  it('is not one whose server refuses the call', async () => {
    await assert.rejects(answerIfAny(client, 'pool/a', failing(7, 'permission denied')), { name: 'ServiceError' });
  });
});
