import { TRIGGER_RULES } from '../../workflows/plan/tasks/trigger-rule.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { durationText, readDuration } from './durations.ts';
import { adaptName } from './names.ts';
import type { Converted } from './argument-converters.ts';

/** Converters for keys of every task, by Airflow's names; `undefined` means Airflow's default, which is not written. */
const OPTIONS: Readonly<Record<string, (value: Json) => Converted | undefined>> = {
  owner: (value) => (value === 'airflow' ? undefined : text('owner', value)),
  retries: (value) => {
    const retries = Number(value);
    const known = Number.isInteger(retries) && retries >= 0 && retries <= 1000;
    return known ? { keys: { retries } } : { lost: 'is not a whole number from 0 to 1000' };
  },
  retry_delay: (value) => duration('retry_delay', value),
  retry_delay_sec: (value) => duration('retry_delay', value),
  max_retry_delay: (value) => duration('max_retry_delay', value),
  execution_timeout: (value) => duration('execution_timeout', value),
  execution_timeout_secs: (value) => duration('execution_timeout', value),
  retry_exponential_backoff: (value) => {
    if (value === false || value === 0) return undefined;
    return { keys: { retry_exponential_backoff: typeof value === 'number' ? value : true } };
  },
  trigger_rule: (value) => {
    const rule = { dummy: 'always', none_failed_or_skipped: 'none_failed_min_one_success' }[String(value)] ?? String(value);
    if (rule === 'all_success') return undefined;
    // The rule of teardown tasks. To clean up too often is safe, to leave a cluster running is not.
    if (rule === 'all_done_setup_success')
      return {
        keys: { trigger_rule: 'all_done' },
        why: 'is all_done: it also runs where its setup has failed, and fails the run if it fails',
      };
    const known = (TRIGGER_RULES as readonly string[]).includes(rule);
    return known ? { keys: { trigger_rule: rule } } : { lost: `is none of ${TRIGGER_RULES.join(', ')}` };
  },
  depends_on_past: (value) => (value === true ? { keys: { depends_on_past: true } } : undefined),
  // Airflow sets depends_on_past implicitly with this option.
  wait_for_downstream: (value) =>
    value === true
      ? { keys: { depends_on_past: true }, why: 'is depends_on_past: it waits for the task itself, not for those after it' }
      : undefined,
  pool: (value) => {
    if (value === 'default_pool') return undefined;
    const name = adaptName(String(value), 'pool');
    return {
      keys: { pool: name },
      ...(name !== value && { why: `pools are named in lowercase letters: '${String(value)}' is '${name}' here` }),
    };
  },
  pool_slots: (value) => (value === 1 ? undefined : { keys: { pool_slots: Number(value) } }),
  queue: (value) => (value === 'default' ? undefined : text('queue', value)),
  priority_weight: (value) =>
    value === 1 ? undefined : { lost: "is unbounded and grows with importance; set 'priority' from 1 (first) to 5 (last)" },
};

const CALLBACK = 'is Python; write tasks under on_failure, on_success or finally, or alerts';
/** Keys of every task that have no equivalent in Sluice, with advice. `false` and empty values lose nothing. */
const LOST: Readonly<Record<string, string>> = {
  email: 'has no equivalent; write alerts',
  email_on_failure: 'has no equivalent; write alerts',
  email_on_retry: 'has no equivalent; write alerts',
  sla: 'is counted from the data interval in Airflow; write an sla with its reference',
  start_date: 'belongs to the pipeline here, not to a task',
  end_date: 'belongs to the pipeline here, not to a task',
  executor: 'is about how Airflow runs tasks; queue names special workers',
  executor_config: 'is about how Airflow runs tasks; queue names special workers',
  params: "are the pipeline's here, not a task's; declare them there",
  variables_as_arguments: "takes Airflow's variables; make them params",
  max_active_tis_per_dag: 'has no equivalent; limit concurrent tasks with a pool',
  max_active_tis_per_dagrun: 'has no equivalent; limit concurrent tasks with a pool',
  task_concurrency: 'has no equivalent; limit concurrent tasks with a pool',
  map_index_template: 'has no equivalent: items are shown by number',
  doc: 'is not shown for tasks; doc_md of the pipeline is',
  doc_md: 'is not shown for tasks; doc_md of the pipeline is',
  do_xcom_push: 'has no equivalent: outputs are always stored',
  multiple_outputs: 'has no equivalent: fields of an output are read as outputs.task.field',
};

/**
 * Converts a key that every Airflow task can have.
 * @returns null for any other key, undefined when nothing needs to be written
 */
export function convertOption(key: string, value: Json): Converted | undefined | null {
  if (value === null) return undefined;
  const convert = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
  if (convert) return convert(value);
  // The callback itself is reported; its file adds nothing.
  if (/_callback_file$/.test(key)) return undefined;
  if (/^(?:on_(?:execute|failure|success|retry|skipped)|sla_miss)_callback(?:_name)?$/.test(key)) return { lost: CALLBACK };
  const why = Object.hasOwn(LOST, key) ? LOST[key] : undefined;
  if (why === undefined) return null;
  return isNothing(value) || (key === 'do_xcom_push' && value === true) || /^email_on_/.test(key) ? undefined : { lost: why };
}

/** Whether the value is empty: Airflow exports empty values for unset keys. */
export function isNothing(value: Json): boolean {
  return value === false || value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function text(key: string, value: Json): Converted {
  return typeof value === 'string' ? { keys: { [key]: value } } : { lost: 'is not a text' };
}

function duration(key: string, value: Json): Converted {
  const ms = readDuration(value);
  return ms === undefined ? { lost: 'is not a duration' } : { keys: { [key]: durationText(ms) } satisfies JsonObject };
}
