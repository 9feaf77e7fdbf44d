import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';

describe('the bundle of the workflows', () => {
  it('has the language of this Node: what the SDK compiles `{ ...object }` to takes a quarter of the time of long lists', async () => {
    for (const module of ['index', 'monitors'] as const) assert.doesNotMatch((await workflowBundle(module)).code, /_object_spread/);
  });
});
