import assert from 'node:assert/strict';
import { after, before } from 'mocha';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Activities } from '../../temporal/worker/worker-process.ts';
import type { WorkflowCode } from '../../temporal/worker/kept-bundle.ts';
import { startTestWorker, type TestWorker } from './temporal-worker.ts';
import { testStack } from './test-stack.ts';
import { toyActivities } from './toy-activities.ts';

/**
 * A worker on Temporal for the tests of the suite that calls it: started before them and closed after them.
 * @param activities the tasks that it runs; default: the toys
 * @param workflows the code of its workflows; default: the product's
 */
export function workerOfSuite(activities: Activities = toyActivities, workflows?: () => Promise<WorkflowCode>): TestWorker {
  let started: TestWorker | undefined;
  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    started = await startTestWorker(environment, activities, undefined, await workflows?.());
  });
  after(() => started?.close());
  const worker = (): TestWorker => started ?? assert.fail('The worker is started before the tests, and not before.');
  return {
    get client(): Client {
      return worker().client;
    },
    get taskQueue(): string {
      return worker().taskQueue;
    },
    close: () => worker().close(),
  };
}

/** What the Temporal UI shows as the current details of a workflow. */
export async function currentDetails(handle: WorkflowHandle): Promise<string> {
  return (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
}
