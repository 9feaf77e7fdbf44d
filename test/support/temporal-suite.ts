import assert from 'node:assert/strict';
import { after, before } from 'mocha';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Activities } from '../../temporal/worker/worker-process.ts';
import type { WorkflowCode } from '../../temporal/worker/kept-bundle.ts';
import { startTestWorker, type TestWorker } from './temporal-worker.ts';
import { testStack } from './test-stack.ts';
import { toyActivities } from './toy-activities.ts';

/**
 * Provides a Temporal worker for the calling suite: started before its tests and closed after them.
 * @param activities the tasks that it runs; default: the toys
 * @param workflows its workflow code; default: that of the product
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

/** The current details of a workflow, as shown in the Temporal UI. */
export async function currentDetails(handle: WorkflowHandle): Promise<string> {
  return (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
}
