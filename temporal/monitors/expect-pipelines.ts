import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type BrokenFile, MONITOR_EXPECTS, monitorId } from '../../workflows/plan/incidents/incident.ts';

/** The pipelines that a project should have in Temporal. */
export interface ExpectedPipelines {
  readonly project: string;
  /** Their dag_ids. */
  readonly expected: readonly string[];
  /** The files that cannot be applied; absent: those reported before. */
  readonly broken?: readonly BrokenFile[];
}

/** Sends the monitor the expected pipelines of a project, and its files that cannot be applied. Does nothing without a monitor. */
export async function expectPipelines(client: Client, taskQueue: string, { project, expected, broken }: ExpectedPipelines): Promise<void> {
  try {
    await client.workflow.getHandle(monitorId(taskQueue)).signal(MONITOR_EXPECTS, expected, broken ?? null, project);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
