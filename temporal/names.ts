import { boundedId } from '../workflows/plan/values/bounded-id.ts';
import type { Cause } from '../workflows/plan/runs/run.ts';

/**
 * Names in Temporal. A run's id is derived from its cause, so that the server itself rejects a second run of the same cause. Schedules
 * append the tick to the given id: `<dag_id>/scheduled-2024-01-02T00:00:00Z`.
 */
export function scheduledRunIdBase(dagId: string): string {
  return `${dagId}/scheduled`;
}

/** `<dag_id>/manual/<id>`, in at most 255 bytes. */
export function pipelineRunId(dagId: string, cause: Cause, id: string): string {
  return boundedId(wholeRunId(dagId, cause, id));
}

/** Like `pipelineRunId`, without a length limit: the ids of older releases. */
export function wholeRunId(dagId: string, cause: Cause, id: string): string {
  return `${dagId}/${cause}/${id}`;
}

/** A condition of Temporal's query language: only workflows of this deployment. @param taskQueue absent: no condition */
export function ofDeployment(taskQueue: string | undefined): string {
  return taskQueue === undefined ? '' : ` AND TaskQueue = ${JSON.stringify(taskQueue)}`;
}
