import type { Client } from '@temporalio/client';
import type { RunInput } from '../../workflows/plan/runs/run.ts';
import { codecOf, payloadReader } from '../codec/codec.ts';
import type { RunReference } from './runs.ts';
import { TaskInstances } from './task-instances.ts';

/** Reads the input of a run from the first page of its history. @returns undefined if Sluice did not start it */
export async function readRunInput(client: Client, run: RunReference): Promise<RunInput | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: run.pipelineRunId, runId: run.temporalRunId },
    maximumPageSize: 1,
  });
  const instances = new TaskInstances(payloadReader(codecOf(client)));
  for (const event of history?.events ?? []) instances.add(event);
  return instances.input;
}
