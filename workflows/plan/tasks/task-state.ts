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

/** A sign for each state, in lists and tables for people. */
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

/** Whether a task in `state` will not change any more in this run. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}
