import { boundedId } from '../workflows/plan/values/bounded-id.ts';
import type { Cause } from '../workflows/plan/runs/run.ts';

/**
 * Names of things in Temporal. A run's id is derived from its cause, so that the server itself refuses a second run of the same cause.
 * Schedules append the tick to the id they are given: `<dag_id>/scheduled-2024-01-02T00:00:00Z`.
 */
export function scheduledRunIdBase(dagId: string): string {
  return `${dagId}/scheduled`;
}

/** `<dag_id>/manual/<id>`, in at most 255 bytes. */
export function pipelineRunId(dagId: string, cause: Cause, id: string): string {
  return boundedId(wholeRunId(dagId, cause, id));
}

/** The same, however long it is: what older releases called their runs. */
export function wholeRunId(dagId: string, cause: Cause, id: string): string {
  return `${dagId}/${cause}/${id}`;
}
