/** Hints for keys of other systems that have no single equivalent here. */
const NOTIFIED = 'to notify people, use `alerts` of the pipeline, or a task of type notify in its `on_failure`';
const HELD_OUT =
  'use `split: {by: occurred_at, test: 20%}` of train_model, and evaluate_model evaluates on the reserved rows; or extract separate evaluation data in another task, and name that task in `inputs` of evaluate_model';
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
  on_success_callback: 'put tasks that follow a success under `on_success` of the pipeline',
  on_execute_callback: NOTIFIED,
  sla_miss_callback: 'write deadlines under `sla`, and whom to notify under `alerts`',
  notifications: NOTIFIED,
  wait_for_downstream: 'to wait for the success of the task in the previous interval, set `depends_on_past: true`',
  provide_context: `${LEAVE_OUT}: expressions have ds, params and outputs`,
  do_xcom_push: `${LEAVE_OUT}: the output of a task is outputs.<task>`,
  xcom_push: `${LEAVE_OUT}: the output of a task is outputs.<task>`,
  multiple_outputs: `${LEAVE_OUT}: the output of a task is outputs.<task>`,
  task_concurrency: 'use a `pool` to share slots among tasks',
  max_active_tis_per_dag: 'use a `pool` to share slots among tasks',
  max_active_tis_per_dagrun: 'use `max_parallel` in `expand` to limit items that run at the same time',
  max_active_tasks: 'use a `pool` to share slots among tasks',
  weight_rule: 'use `priority` from 1 (first) to 5 (last)',
  priority_weight: 'use `priority` from 1 (first) to 5 (last)',
  bash_command: 'use a task of type command, with argv: [python3, report.py]',
  python_callable: 'use a task of type command, with argv: [python3, report.py]',
  python_callable_name: 'use a task of type command, with argv: [python3, report.py]',
  python_callable_file: 'use a task of type command, with argv: [python3, report.py]',
  script: 'use a task of type command, with argv: [python3, report.py]',
  run: 'use a task of type command, with argv: [python3, report.py]',
  executor_config: 'use `queue` to choose workers',
  executor: 'use `queue` to choose workers',
  render_template_as_native_obj: `${LEAVE_OUT}: a text that is one expression keeps its type`,
  default_view: LEAVE_OUT,
  orientation: LEAVE_OUT,
  is_paused_upon_creation: 'pause it with `sluice pause`',
  catchup_by_default: 'use `catchup`',
  continue_on_error: 'use `allow_failure: true`; downstream tasks then follow their `trigger_rule`',
  timezone_name: 'use `timezone`',
};

/** Values of other systems by key, with the equivalent here. */
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
 * Values that hide failures, lose data, or start many runs. They are suggested only for near-identical spellings.
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
