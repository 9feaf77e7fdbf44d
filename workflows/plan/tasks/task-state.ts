/** The states of a task instance, named as in Airflow. The last five are final. */
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

/** A symbol for each state, for lists and tables. */
export const STATE_MARKS: Readonly<Record<TaskState, string>> = {
  queued: '·',
  running: '▶',
  up_for_retry: '↻',
  deferred: '…',
  held: '‖',
  success: '✔',
  failed: '✘',
  skipped: '–',
  upstream_failed: '⊘',
  canceled: '■',
};

const FINAL: ReadonlySet<TaskState> = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'canceled']);

/** Whether a task in `state` no longer changes in this run. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}
