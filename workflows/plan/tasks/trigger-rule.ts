import type { TaskState } from './task-state.ts';

/** Airflow's trigger rules: when a task starts, given how its direct upstream tasks ended. */
export const TRIGGER_RULES = [
  'all_success',
  'all_failed',
  'all_done',
  'all_skipped',
  'one_success',
  'one_failed',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
] as const;
export type TriggerRule = (typeof TRIGGER_RULES)[number];

/** The effect of a rule on a task that has not started: run it, wait for more upstream tasks, or end it without a run. */
export type RuleResult = 'run' | 'wait' | 'skipped' | 'upstream_failed';

/**
 * Applies `rule` to the final states of the direct upstream tasks, as Airflow documents it (core concepts, DAGs, trigger rules):
 * `upstream_failed` counts as failed. A rule that can no longer become true skips the task, or marks it `upstream_failed` if a failure is
 * the reason.
 * @param finished final states of the upstream tasks that have ended
 * @param total the number of direct upstream tasks
 */
export function applyTriggerRule(rule: TriggerRule, finished: readonly TaskState[], total: number): RuleResult {
  if (total === 0 || rule === 'always') return 'run';
  const success = count(finished, 'success');
  const skipped = count(finished, 'skipped');
  // A cancelled task did not do its work, so its followers treat it as failed.
  const failed = finished.length - success - skipped;
  const done = finished.length === total;
  switch (rule) {
    case 'all_success':
      if (failed > 0) return 'upstream_failed';
      if (!done) return 'wait';
      // Wait until all have ended: a later failure must count, whatever the order.
      return skipped > 0 ? 'skipped' : 'run';
    case 'all_failed':
      if (success > 0 || skipped > 0) return 'skipped';
      return done ? 'run' : 'wait';
    case 'all_done':
      return done ? 'run' : 'wait';
    case 'all_skipped':
      if (success > 0 || failed > 0) return 'skipped';
      return done ? 'run' : 'wait';
    case 'one_success':
      if (success > 0) return 'run';
      if (!done) return 'wait';
      return failed > 0 ? 'upstream_failed' : 'skipped';
    case 'one_failed':
      if (failed > 0) return 'run';
      return done ? 'skipped' : 'wait';
    case 'one_done':
      if (success > 0 || failed > 0) return 'run';
      return done ? 'skipped' : 'wait';
    case 'none_failed':
      if (failed > 0) return 'upstream_failed';
      return done ? 'run' : 'wait';
    case 'none_failed_min_one_success':
      if (failed > 0) return 'upstream_failed';
      if (!done) return 'wait';
      return success > 0 ? 'run' : 'skipped';
    case 'none_skipped':
      if (skipped > 0) return 'skipped';
      return done ? 'run' : 'wait';
  }
}

function count(states: readonly TaskState[], state: TaskState): number {
  return states.reduce((sum, each) => sum + (each === state ? 1 : 0), 0);
}
