import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nearest } from '../../../compiler/mistakes/diagnostic.ts';
import { DANGEROUS } from '../../../compiler/mistakes/foreign-habits.ts';
import { compiler } from '../../support/compiler.ts';

/** What analysts write first, each with the word that the message must lead to. `task`: a line of keys; `file`: lines of a pipeline. */
const GUESSES: readonly (readonly [place: 'type' | 'key' | 'file' | 'when' | 'trigger', guess: string, word: string])[] = [
  ['type', 'python', "'command'"],
  ['type', 'PythonOperator', "'command'"],
  ['type', 'airflow.operators.bash.BashOperator', "'command'"],
  ['type', 'shell', "'command'"],
  ['type', 'io.kestra.plugin.scripts.python.Commands', "'command'"],
  ['type', 'KubernetesPodOperator', "'command'"],
  ['type', 'dbt', "'command'"],
  ['type', 'EmailOperator', "'notify'"],
  ['type', 'slack', "'notify'"],
  ['type', 'SparkSubmitOperator', "'spark_job'"],
  ['type', 'databricks', "'spark_job'"],
  ['type', 'branch', '`switch`'],
  ['type', 'BranchPythonOperator', '`switch`'],
  ['type', 'ShortCircuitOperator', '`when`'],
  ['type', 'sleep', "'wait_until'"],
  ['type', 'sensor', "'wait_for_s3'"],
  ['type', 'S3KeySensor', "'wait_for_s3'"],
  ['type', 'SqlSensor', "'wait_for_sql'"],
  ['type', 'HttpSensor', "'wait_for_http'"],
  ['type', 'ExternalTaskSensor', "'wait_for_pipeline'"],
  ['type', 'TimeDeltaSensor', "'wait_until'"],
  ['type', 'trigger_dag', "'run_pipeline'"],
  ['type', 'TriggerDagRunOperator', "'run_pipeline'"],
  ['type', 'io.kestra.plugin.core.flow.Subflow', "'run_pipeline'"],
  ['type', 'dummy', "'empty'"],
  ['type', 'EmptyOperator', "'empty'"],
  ['type', 'sftp', 'docs/02-task-types.md'],
  ['type', 'SQLExecuteQueryOperator', "'sql'"],
  ['type', 'PostgresOperator', "'sql'"],
  ['type', 'sql_value_check', "'sql_check'"],
  ['type', 'curl', "'http'"],
  ['type', 'for_each', '`expand`'],
  ['type', 'task_group', '`task_groups`'],
  ['type', 'manual_approval', "'approval'"],
  ['type', 'compare', "'reconcile'"],
  ['type', 'task', "'command'"],
  ['type', 'DbtCloudRunJobOperator', "'command'"],
  ['type', 'MySqlOperator', "'sql'"],
  ['type', 'SnowflakeOperator', 'not with this one'],
  ['type', 'LambdaInvokeFunctionOperator', "'http'"],
  ['type', 'EmrAddStepsOperator', "'spark_job'"],
  ['type', 'DatabricksRunNowOperator', "'spark_job'"],
  ['type', 'MsTeamsWebhookOperator', "'notify'"],
  ['type', 'SlackAPIPostOperator', "'notify'"],
  ['type', 'BranchDateTimeOperator', '`switch`'],
  ['type', 'TimeDeltaSensorAsync', "'wait_until'"],
  ['type', 'wait_for_file', "'wait_for_s3'"],
  ['type', 'io.kestra.plugin.core.trigger.Schedule', '`schedule_interval`'],
  ['type', 'io.kestra.plugin.core.flow.Dag', '`task_groups`'],
  ['type', 'io.kestra.plugin.core.flow.Parallel', '`depends_on`'],
  ['type', 'io.kestra.plugin.core.log.Log', "'notify'"],
  ['type', 'io.kestra.plugin.core.execution.Fail', "'sql_check'"],
  ['type', 'transformation', "'spark_job'"],
  ['type', 'S3CreateObjectOperator', 'docs/02-task-types.md'],
  ['key', 'on_failure_callback_name: f', '`on_failure`'],
  ['key', 'deferrable: true', 'leave it out'],
  ['key', 'loop: [1, 2]', "'expand'"],
  ['key', 'set_upstream: [b]', "'depends_on'"],
  ['key', 'email_on_failure: true', '`alerts`'],
  ['key', 'on_failure_callback: f', '`on_failure`'],
  ['key', 'wait_for_downstream: true', '`depends_on_past: true`'],
  ['key', 'execution_timeout: 3600', 'write 1h for 3600 seconds'],
  ['key', 'execution_timeout: 1h 30m', 'write 1h30m'],
  ['key', 'retry_delay: 300', 'write 5m'],
  ['key', 'retry_delay: "90"', 'write 1m30s'],
  ['key', 'dependencies: [b]', "'depends_on'"],
  ['key', 'priority_weight: 10', '`priority`'],
  ['key', 'task_concurrency: 3', '`pool`'],
  ['key', 'bash_command: echo 1', 'with argv: ['],
  ['key', 'trigger_rule: none_failed_or_skipped', "'none_failed_min_one_success'"],
  ['key', 'provide_context: true', 'leave it out'],
  ['key', 'continue-on-error: true', '`allow_failure: true`'],
  ['key', 'timeout-minutes: 30', '`execution_timeout`'],
  ['key', 'runs-on: ubuntu-latest', '`queue`'],
  ['key', 'dependsOn: [b]', "'depends_on'"],
  ['key', 'after: [b]', "'depends_on'"],
  ['key', 'downstream: [b]', '`depends_on`'],
  ['key', 'teardown: true', '`finally`'],
  ['key', 'disabled: true', '`when: "false"`'],
  ['file', 'schedule: "@daily"\ntasks: [{name: a, type: empty}]', '`schedule_interval: "@daily"`'],
  ['file', 'schedule: 0 6 * * *\ntasks: [{name: a, type: empty}]', '`schedule_interval: "0 6 * * *"`'],
  ['file', 'schedule: null\ntasks: [{name: a, type: empty}]', '`schedule_interval: null`'],
  ['file', 'errors: []\ntasks: [{name: a, type: empty}]', "'on_failure'"],
  ['file', 'variables: {a: 1}\ntasks: [{name: a, type: empty}]', 'environments/<name>.yaml'],
  ['trigger', 'cron', '`schedule_interval`'],
  ['trigger', 'io.kestra.plugin.core.trigger.Flow', "'pipeline'"],
  ['trigger', 'webhook', '`sluice run`'],
  ['trigger', 'asset', "'dataset'"],
  ['trigger', 'postgres', "'sql'"],
  ['trigger', 'file', "'s3'"],
  ['file', 'cron: 0 6 * * *\ntasks: [{name: a, type: empty}]', "'schedule_interval'"],
  ['file', 'tasks: {a: {type: empty}}', '`sluice import`'],
  ['file', 'default_args: {email_on_retry: false}\ntasks: [{name: a, type: empty}]', '`alerts`'],
  ['when', 'dag_run.conf.region == "eu"', 'params.<name>'],
  ['when', 'var.value.region == "eu"', 'params.<name>'],
  ['when', 'macros.ds_add(ds, -1) == "2024-01-01"', 'addDays(ds, 1)'],
  ['when', 'ti.xcom_pull(task_ids="b") == 1', 'outputs.<task>'],
  ['when', 'execution_date == ds', 'logical_date'],
  ['when', 'tomorrow_ds == ds', 'addDays(ds, 1)'],
  ['when', 'ds | ds_nodash == ""', 'date(ds,'],
  ['when', 'ds_add(ds, 1) == ""', 'addDays(ds, 1)'],
  ['when', 'len(ds) == 10', 'size(x)'],
  ['when', 'now() > logical_date', 'no clock'],
  ['when', 'ds == None', 'null'],
  ['when', 'True', 'true'],
  ['when', 'inputs.region == "eu"', 'params.<name>'],
  ['when', 'vars.region == "eu"', '{{ vars.<name> }}'],
  ['when', '1 if true else 2', 'condition ? x : y'],
];

function fileOf(place: (typeof GUESSES)[number][0], guess: string): string {
  switch (place) {
    case 'type':
      return `dag_id: x\ntasks:\n  - {name: a, type: ${guess}}\n`;
    case 'key':
      return `dag_id: x\ntasks:\n  - name: b\n    type: empty\n  - name: a\n    type: empty\n    ${guess}\n`;
    case 'file':
      return `dag_id: x\n${guess}\n`;
    case 'trigger':
      return `dag_id: x\ntriggers: [{name: t, type: ${guess}}]\ntasks: [{name: a, type: empty}]\n`;
    case 'when':
      return `dag_id: x\ntasks:\n  - name: a\n    type: empty\n    when: '${guess}'\n`;
  }
}

describe('what analysts write first leads to the right word in one step', () => {
  for (const [place, guess, word] of GUESSES) {
    it(`${place} ${guess.split('\n')[0] ?? ''}`, () => {
      const { diagnostics } = compiler.compile({ file: 'x.yaml', text: fileOf(place, guess) });
      assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics, undefined, 1));
      assert.ok(diagnostics[0]?.hint?.includes(word), `${diagnostics[0]?.message} ${diagnostics[0]?.hint}`);
    });
  }
});

describe('a suggestion', () => {
  it('is never a dangerous word for one that is not nearly the same', () => {
    for (const given of ['email_on_failure', 'on_failure', 'allow_fallback', 'alarm_failure', 'all_done_setup_success', 'sort_final']) {
      const found = nearest(given, DANGEROUS);
      assert.equal(found, undefined, `${given} → ${found}`);
    }
    assert.equal(nearest('alow_failure', DANGEROUS), 'allow_failure');
    assert.equal(nearest('sotf_fail', DANGEROUS), 'soft_fail');
  });
});
