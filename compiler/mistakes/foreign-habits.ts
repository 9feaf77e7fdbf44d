/** Keys of other systems whose meaning is no single key here: what to do instead. */
const NOTIFIED = 'people are notified by the `alerts` of the pipeline, or by a task of type notify in its `on_failure`';
const HELD_OUT =
  'train_model takes `split: {by: occurred_at, test: 20%}`, and evaluate_model then measures on the rows that were set aside; or data that a training does not see is extracted by a task of its own, and named in `inputs` of evaluate_model';
const LEAVE_OUT = 'leave it out';

export const FOREIGN_HABITS: Readonly<Record<string, string>> = {
  split: HELD_OUT,
  test_size: HELD_OUT,
  test_split: HELD_OUT,
  validation_split: HELD_OUT,
  email: NOTIFIED,
  email_on_failure: NOTIFIED,
  email_on_retry: NOTIFIED,
  on_retry_callback: NOTIFIED,
  on_failure_callback: NOTIFIED,
  on_success_callback: 'tasks that follow a success are the `on_success` of the pipeline',
  on_execute_callback: NOTIFIED,
  sla_miss_callback: 'what is promised is `sla`, and who is notified `alerts`',
  notifications: NOTIFIED,
  wait_for_downstream: 'a task that waits for its own success in the interval before has `depends_on_past: true`',
  provide_context: `${LEAVE_OUT}: expressions have ds, params and outputs`,
  do_xcom_push: `${LEAVE_OUT}: what a task gives is outputs.<task>`,
  xcom_push: `${LEAVE_OUT}: what a task gives is outputs.<task>`,
  multiple_outputs: `${LEAVE_OUT}: what a task gives is outputs.<task>`,
  task_concurrency: 'slots that tasks share are a `pool`',
  max_active_tis_per_dag: 'slots that tasks share are a `pool`',
  max_active_tis_per_dagrun: 'items that run at the same time are `max_parallel` in `expand`',
  max_active_tasks: 'slots that tasks share are a `pool`',
  weight_rule: 'what goes first is `priority`, 1 (first) to 5',
  priority_weight: 'what goes first is `priority`, 1 (first) to 5',
  bash_command: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  python_callable: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  python_callable_name: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  python_callable_file: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  script: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  run: 'a program is `argv` of a task of type command: argv: [python3, report.py]',
  executor_config: 'special workers are a `queue`',
  executor: 'special workers are a `queue`',
  render_template_as_native_obj: `${LEAVE_OUT}: a text that is one expression keeps its type`,
  default_view: LEAVE_OUT,
  orientation: LEAVE_OUT,
  is_paused_upon_creation: 'pause it with `sluice pause`',
  catchup_by_default: 'the key is `catchup`',
  continue_on_error: 'a task that may fail has `allow_failure: true`; what follows it then runs by its `trigger_rule`',
  timezone_name: 'the key is `timezone`',
};

/** Values of other systems, by the key that they stand at, with ours. */
export const FOREIGN_VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  trigger_rule: {
    none_failed_or_skipped: 'none_failed_min_one_success',
    dummy: 'always',
    any_success: 'one_success',
    any_failed: 'one_failed',
    all_succeeded: 'all_success',
    all_completed: 'all_done',
  },
};

/**
 * Words that make failures silent, or data disappear, or start many runs: they are suggested only where hardly a letter is different.
 */
export const DANGEROUS: ReadonlySet<string> = new Set([
  'allow_failure',
  'soft_fail',
  'catchup',
  'always',
  'all_done',
  'one_failed',
  'all_failed',
  'continue',
  'skip',
  'cancel_running',
  'cancel_new',
  'replace',
  'approve',
  'repair',
  'dead_letter',
]);
