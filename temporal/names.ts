export { pipelineRunId, scheduledRunIdBase, wholeRunId } from '../workflows/plan/ids.ts';

/** A condition of Temporal's query language: only workflows of this deployment. @param taskQueue absent: no condition */
export function ofDeployment(taskQueue: string | undefined): string {
  return taskQueue === undefined ? '' : ` AND TaskQueue = ${JSON.stringify(taskQueue)}`;
}
