/** The states of a task instance, Airflow's names. The last five are final. */
export const TASK_STATES = [
  'queued',
  'running',
  'up_for_retry',
  'deferred',
  'held',
  'success',
  'failed',
  'skipped',
  'upstream_failed',
  'canceled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

const FINAL: ReadonlySet<TaskState> = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'canceled']);

/** Whether a task in `state` will not change any more in this run. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}
