/** The meaning of another system's task type, and what replaces it here. */
interface Meaning {
  /** The task type; absent if something else replaces it. */
  readonly type?: string;
  /** Further advice. */
  readonly hint: string;
}

const command: Meaning = {
  type: 'command',
  hint: "use type 'command': it runs a program that the workers allow, `argv: [python3, report.py]`",
};
const notify: Meaning = { type: 'notify', hint: "use type 'notify', with `to: slack`, pagerduty or webhook" };
const email: Meaning = {
  type: 'notify',
  hint: "e-mail is not supported; use type 'notify' with Slack, PagerDuty or a webhook, `to: slack`",
};
const spark: Meaning = { type: 'spark_job', hint: "use type 'spark_job'" };
const branch: Meaning = {
  type: 'empty',
  hint: "to branch, use the key `switch` of a task, such as one of type 'empty'; to skip a single task, use the key `when`",
};
const shortCircuit: Meaning = {
  type: 'empty',
  hint: "use a task of type 'empty' with the key `when`: if it is false, tasks that depend on it are skipped too",
};
const latestOnly: Meaning = {
  type: 'empty',
  hint: "use a task of type 'empty' with `latest_only: true`: unless the interval is the newest, tasks that depend on it are skipped too",
};
const pause: Meaning = { type: 'wait_until', hint: "use type 'wait_until'" };
const sensor: Meaning = {
  hint: "use one of the waiting types: 'wait_for_s3', 'wait_for_sql', 'wait_for_http', 'wait_for_kafka', 'wait_for_pipeline' or 'wait_until'",
};
const child: Meaning = { type: 'run_pipeline', hint: "use type 'run_pipeline', with `dag_id`" };
const empty: Meaning = { type: 'empty', hint: "use type 'empty'" };
const files: Meaning = {
  hint: 'no task type moves files between servers: see docs/02-task-types.md; to run your own program, use type `command`',
};
const sql: Meaning = { type: 'sql', hint: "use type 'sql'" };
const check: Meaning = { type: 'sql_check', hint: "use type 'sql_check'" };
const http: Meaning = { type: 'http', hint: "use type 'http'" };
const approval: Meaning = { type: 'approval', hint: "use type 'approval'" };
const toS3: Meaning = { type: 'postgres_to_s3', hint: "use type 'postgres_to_s3'; 's3_to_redshift' loads its output" };
const parallel: Meaning = {
  hint: 'tasks that do not depend on each other run in parallel: use `depends_on`; for each item of a list, use the key `expand`',
};
const service: Meaning = {
  hint: "no task type calls this service: ask its API with type 'http', or run a program with type 'command': see docs/02-task-types.md",
};
const warehouse: Meaning = {
  hint: "type 'sql' works with PostgreSQL and Redshift, not with this one; run a program with type 'command': see docs/02-task-types.md",
};
const saying: Meaning = { type: 'notify', hint: "the log of a run has what its tasks do; to notify people, use type 'notify'" };
const failing: Meaning = {
  type: 'sql_check',
  hint: "no task type fails on purpose: check data with type 'sql_check', or an answer with `expect` of type 'http'",
};
const transform: Meaning = {
  type: 'sql',
  hint: "use type 'transform' for the records of a file, 'sql' in the database, or 'spark_job' for a Spark job",
};
const loop: Meaning = { hint: 'to run a task for each item of a list, use the key `expand` of the task' };
const group: Meaning = { hint: 'a group is not a task: list it under `task_groups`, or give its tasks the key `group`' };
const other = (type: string): Meaning => ({ type, hint: `use type '${type}'` });

/** By words of Airflow, dag-factory, Kestra, dbt, GitHub and others, in lowercase with _ between words. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ...each(
    command,
    'task op python bash shell sh script cmd exec run ssh docker docker_run docker_swarm kubernetes_pod kubernetes k8s python_virtualenv external_python powershell node ruby java pandas notebook jupyter jupyter_notebook r dbt dbt_run dbt_cloud model seed snapshot cli command_line commands process papermill beam',
  ),
  ...each(
    notify,
    'slack slack_webhook slack_api slack_notification teams ms_teams discord telegram pagerduty webhook alert message notification',
  ),
  ...each(email, 'email mail send_email smtp send_mail'),
  ...each(
    service,
    'lambda lambda_invoke_function ecs ecs_run_task batch aws_batch cloud_run cloud_function dataflow airbyte fivetran step_function function azure_data_factory jira service_now datadog',
  ),
  ...each(warehouse, 'snowflake big_query bigquery big_query_insert_job hive presto trino oracle sqlite athena clickhouse databricks_sql'),
  ...each(saying, 'log echo print debug return'),
  ...each(failing, 'fail raise error airflow_fail_exception throw'),
  ...each(transform, 'transformation'),
  ...each(spark, 'jar scala spark spark_submit pyspark spark_sql spark_cli databricks databricks_submit_run emr dataproc glue livy'),
  ...each(branch, 'branch branching if condition conditional switch branch_python branch_sql decision choice'),
  ...each(shortCircuit, 'short_circuit'),
  ...each(latestOnly, 'latest_only latest'),
  ...each(pause, 'sleep delay wait pause_for time_delta timer date_time time timedelta'),
  ...each(sensor, 'sensor wait_for poll file file_exists'),
  ...each(
    child,
    'trigger_dag trigger_dag_run trigger_dagrun trigger sub_dag subdag subflow flow dag pipeline workflow reusable_workflow call_workflow trigger_pipeline',
  ),
  ...each(empty, 'dummy noop no_op nop start end begin finish join placeholder'),
  ...each(
    files,
    'sftp ftp scp sftp_to_s3 s3_to_sftp gcs gcs_to_bigquery gcs_to_gcs azure_blob local_filesystem_to_s3 s3_copy s3_copy_object s3_delete_objects upload download',
  ),
  ...each(
    sql,
    'postgres postgresql mysql my_sql ms_sql select insert update delete truncate vacuum merge redshift sql_execute_query jdbc query queries execute execute_query sql_query redshift_sql redshift_data mssql database',
  ),
  ...each(
    check,
    'check test sql_value_check sql_table_check sql_column_check sql_threshold_check sql_interval_check data_quality quality_check great_expectations dbt_test assert validate expectation',
  ),
  ...each(http, 'rest api request requests simple_http curl rest_api http_request webhook_call'),
  ...each(approval, 'human approve manual manual_approval gate pause hitl human_input ask'),
  ...each(toS3, 'sql_to_s3 postgres_to_redshift extract export unload copy'),
  ...each(loop, 'foreach for_each each each_parallel each_sequential matrix map loop while'),
  ...each(parallel, 'parallel flow_parallel'),
  ...each(group, 'group task_group sequential dag_group flow_dag working_directory'),
  ...each({ hint: 'runs by the clock have no task: use `schedule_interval` of the pipeline' }, 'cron schedule trigger_schedule'),
  ...each(other('reconcile'), 'compare diff reconciliation data_diff compare_tables'),
  ...each(other('s3_to_redshift'), 'load redshift_copy copy_to_redshift s3_to_postgres'),
  ...each(other('kafka_publish'), 'kafka kafka_produce produce produce_to_topic kafka_producer publish'),
  ...each(other('rabbitmq_publish'), 'rabbitmq rabbit amqp amqp_publish'),
  ...each(other('wait_for_s3'), 's3_key s3_keys s3_prefix s3 s3_file file_sensor object_exists'),
  ...each(other('wait_for_sql'), 'sql_sensor'),
  ...each(other('wait_for_http'), 'http_sensor'),
  ...each(other('wait_for_kafka'), 'await_message consume consume_from_topic kafka_consume'),
  ...each(other('wait_for_pipeline'), 'external_task external_task_sensor wait_for_dag wait_for_task'),
  ...each(other('train_model'), 'train training fit ml_train train_step sage_maker_training'),
  ...each(other('evaluate_model'), 'evaluate score evaluation'),
  ...each(other('promote_model'), 'promote deploy_model register_model'),
};

function each(meaning: Meaning, words: string): Record<string, Meaning> {
  return Object.fromEntries(words.split(' ').map((word) => [word, meaning]));
}

/** By words of other systems for what starts a run. */
const TRIGGER_MEANINGS: Readonly<Record<string, Meaning>> = {
  ...each(
    { hint: 'runs by the clock have no trigger: use `schedule_interval` of the pipeline' },
    'schedule cron timer time interval timetable cron_trigger_timetable periodic',
  ),
  ...each(
    { hint: 'no trigger receives requests: another system starts a run with `sluice run`; type `http` asks an address again and again' },
    'webhook push pull_request api rest workflow_dispatch repository_dispatch http_request',
  ),
  ...each({ hint: 'every pipeline can be started by hand: use `sluice run`' }, 'manual form'),
  ...each(other('kafka'), 'topic kafka_topic realtime stream event consumer message_queue consume'),
  ...each(other('s3'), 'file bucket object minio blob s3_key storage upload'),
  ...each(other('sql'), 'postgres postgresql mysql jdbc database table row query redshift'),
  ...each(other('dataset'), 'asset data_set datasets assets outlet uri'),
  ...each(other('pipeline'), 'flow dag workflow workflow_run external_task trigger_dag_run run_pipeline run'),
  ...each(other('rabbitmq'), 'rabbit amqp queue'),
};

/** Words that say alone what a class does: `DbtCloudRunJobOperator`, `MsTeamsWebhookOperator`. */
const SIGNIFICANT_WORDS: readonly string[] =
  'branch email mail slack teams pagerduty opsgenie telegram discord dbt databricks spark emr dataproc glue livy kubernetes docker ssh python bash lambda ecs snowflake bigquery airbyte fivetran sftp ftp gcs check rabbitmq kafka approval s3'.split(
    ' ',
  );

/** Packages whose name says nothing about a class in them. */
const EMPTY_PACKAGES: ReadonlySet<string> = new Set([
  'trigger',
  'flow',
  'execution',
  'core',
  'tasks',
  'operators',
  'sensors',
  'test',
  'actions',
]);

/** Words in class names that do not describe the task. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(['operator', 'task', 'decorator', 'async', 'deferrable', 'step', 'action', 'job']);

/** What to write for a trigger of another system: `cron`, `io.kestra.plugin.core.trigger.Flow`. @returns undefined if it is unknown */
export function foreignTriggerHint(given: string): string | undefined {
  const words = given
    .split(/[./:@]+/)
    .map((part) => wordsOf(part).filter((word) => !['trigger', 'sensor', 'wait', 'for', 'on'].includes(word)));
  const name = words.findLast((part) => part.length > 0)?.join('_') ?? '';
  return Object.hasOwn(TRIGGER_MEANINGS, name) ? TRIGGER_MEANINGS[name]?.hint : undefined;
}

/**
 * What to write for a task type of another system: `BashOperator`, `airflow.operators.bash.BashOperator`,
 * `io.kestra.plugin.core.flow.Subflow`.
 * @param known the available task types
 * @returns undefined if the type is unknown
 */
export function foreignTypeHint(given: string, known: ReadonlySet<string>): string | undefined {
  const parts = given
    .split(/[./:@]+/)
    .map(wordsOf)
    .filter((words) => words.length > 0);
  if (/^wait_for_/.test(given) && !known.has(given)) return (lookUp(given) ?? sensor).hint;
  // The last part is the most specific, with the package around it: `flow.Dag`, `scripts.python.Commands`.
  const [name = [], around = []] = parts.reverse();
  const together = lookUp([...around, ...name].join('_'));
  if (together) return together.hint;
  const isSignificant = around.length > 0 && !around.every((word) => EMPTY_PACKAGES.has(word));
  for (const all of isSignificant ? [name, around] : [name]) {
    const words = all.filter((word) => word !== 'async' && word !== 'deferrable');
    const isSensor = words.at(-1) === 'sensor' && words.length > 1;
    const bareName = words.filter((word) => !EMPTY_WORDS.has(word)).join('_');
    const bare = isSensor ? bareName.replace(/_sensor$/, '') : bareName;
    const meaning = lookUp(bareName) ?? (isSensor ? (lookUp(`${bare}_sensor`) ?? waitingFor(bare)) : undefined) ?? lookUp(bare);
    if (meaning && (meaning.type === undefined || known.has(meaning.type))) return meaning.hint;
    if (!isSensor && known.has(bareName) && bareName !== given) return `use type '${bareName}'`;
    const significant = isSensor ? undefined : words.find((word) => SIGNIFICANT_WORDS.includes(word));
    const guess = significant === undefined ? undefined : lookUp(significant === 's3' ? 's3_copy' : significant);
    if (guess && (guess.type === undefined || known.has(guess.type))) return guess.hint;
  }
  return lookUp(name.join('_'))?.hint;
}

function waitingFor(name: string): Meaning {
  const meaning = lookUp(name);
  return meaning?.type?.startsWith('wait_') === true ? meaning : sensor;
}

function lookUp(name: string): Meaning | undefined {
  return Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
}

/** Splits `BashOperator`, `S3KeySensor` or `spark-submit` into lowercase words. */
function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
