import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { homePaths } from '../../../dev/home.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { showRun } from '../../../temporal/follow-run.ts';
import { startManualRun } from '../../../temporal/runs.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { applySensorChange, standingOf } from '../../../temporal/sensors.ts';
import { sensorId } from '../../../workflows/plan/trigger.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { sluice, startProcess, type TestProcess } from '../../support/processes.ts';
import { openRogueServers, type RogueServers } from '../../support/rogue-servers.ts';
import { TEST_HOME, testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/yaml-sensors.ts';

/** What every secret begins with: short, and changed by no encoding but base64. */
const MARK = `cnry${randomBytes(4).toString('hex')}`;
const KINDS = [
  'postgres',
  'redshift',
  'mysql',
  'aws',
  'kafka',
  'registry',
  'http',
  'token',
  'mlflow',
  'rabbitmq',
  'pagerduty',
  'slack',
  'webhook',
] as const;
const secretOf = (kind: string): string => `${MARK}-${kind}+p/w"${kind.length}`;

/** The mark as it is, and in base64 wherever it begins. */
function marksIn(bytes: Buffer): string[] {
  const forms = [
    MARK,
    ...[0, 1, 2].map((before) =>
      Buffer.concat([Buffer.alloc(before), Buffer.from(MARK)])
        .toString('base64')
        .slice(4, 14),
    ),
  ];
  return forms.flatMap((form) => {
    const at = bytes.indexOf(form);
    return at < 0 ? [] : [bytes.subarray(Math.max(0, at - 200), at + 60).toString('latin1')];
  });
}

/** A secret of each kind of connection, and servers that say all of them, in every encoding. */
describe('secrets', function () {
  this.timeout('2m');
  let rogue: RogueServers;
  let worker: TestProcess;
  let client: Client;
  let environment: Record<string, string>;
  const dagId = `canary_${randomUUID().slice(0, 8)}`;

  before(async function () {
    this.timeout('15m');
    const encodings = (secret: string): string[] => {
      const json = JSON.stringify(secret).slice(1, -1);
      const base64 = [`ann:${secret}`, secret, `:${secret}`, `\0ann\0${secret}`].map((text) => Buffer.from(text).toString('base64'));
      return [secret, encodeURIComponent(secret), json, ...base64, secret.slice(0, 14)];
    };
    rogue = await openRogueServers(KINDS.flatMap((kind) => encodings(secretOf(kind))).join(' | '));
    const { http, postgres, mysql, other } = rogue.ports;
    const pw = (kind: (typeof KINDS)[number]): string => encodeURIComponent(secretOf(kind));
    const taskQueue = `canary-${randomUUID()}`;
    environment = {
      ...(await testStack(['temporal'])).environment,
      SLUICE_TASK_QUEUE: taskQueue,
      SLUICE_CONN_POSTGRES_DEFAULT: `postgresql://ann:${pw('postgres')}@127.0.0.1:${postgres}/x`,
      SLUICE_CONN_REDSHIFT_DEFAULT: `redshift://ann:${pw('redshift')}@127.0.0.1:${postgres}/x`,
      SLUICE_CONN_SHOP: `mysql://ann:${pw('mysql')}@127.0.0.1:${mysql}/x`,
      SLUICE_CONN_AWS_DEFAULT: `aws://AKIAIOSFODNN7EXAMPLE:${pw('aws')}@/?endpoint_url=http://127.0.0.1:${http}`,
      SLUICE_CONN_KAFKA_DEFAULT: `kafka://ann:${pw('kafka')}@127.0.0.1:${other}/?schema_registry=http://ann:${pw('registry')}@127.0.0.1:${http}`,
      SLUICE_CONN_HTTP_DEFAULT: JSON.stringify({ type: 'http', url: `http://ann:${pw('http')}@127.0.0.1:${http}/base` }),
      SLUICE_CONN_BY_TOKEN: `http://127.0.0.1:${http}/?token=${pw('token')}`,
      SLUICE_CONN_MLFLOW_DEFAULT: `mlflow+http://127.0.0.1:${http}/?token=${pw('mlflow')}`,
      SLUICE_CONN_RABBITMQ_DEFAULT: `amqp://ann:${pw('rabbitmq')}@127.0.0.1:${other}/v`,
      SLUICE_CONN_PAGERDUTY_DEFAULT: `pagerduty://${pw('pagerduty')}@127.0.0.1:${http}`,
      SLUICE_CONN_SLACK_DEFAULT: `http://127.0.0.1:${http}/services/${MARK}-slack-0123456789`,
      SLUICE_CONN_WEBHOOK_DEFAULT: `http://ann:${pw('webhook')}@127.0.0.1:${http}/hook`,
    };
    client = await connectClient(environment);
    await ensureSearchAttributes(client);
    worker = startProcess('worker.ts', ['--log-level', 'debug'], environment);
    await worker.says('ready');
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await client.connection.close();
    rogue.close();
  });

  it('are in no history, failure, heartbeat, output, log or command, nor in the database of Temporal, whatever servers say', async () => {
    const plan = compileYaml(`
dag_id: ${dagId}
default_args: {retries: 0}
triggers:
  - {type: http, name: watch, path: /watch, poke_interval: 1s}
tasks:
  - {name: sql, type: sql, sql: SELECT 1, depends_on: []}
  - {name: check, type: sql_check, conn_id: redshift_default, checks: [{name: a, sql: SELECT 1, min: 1}], depends_on: []}
  - {name: compare, type: reconcile, source: {conn_id: shop, table: t}, target: {conn_id: postgres_default, table: t}, key: [id], depends_on: []}
  - {name: extract, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, depends_on: []}
  - {name: object, type: wait_for_s3, bucket: raw-data, key: a, timeout: 1s, poke_interval: 1s, depends_on: []}
  - {name: publish, type: kafka_publish, topic: t, value: 1, execution_timeout: 8s, depends_on: []}
  - {name: send, type: rabbitmq_publish, queue_name: q, value: 1, execution_timeout: 8s, depends_on: []}
  - {name: call, type: http, path: /call, depends_on: []}
  - {name: by_token, type: http, path: /call, conn_id: by_token, depends_on: []}
  - {name: good, type: http, path: /good, depends_on: []}
  - {name: wait, type: wait_for_http, path: /wait, timeout: 1s, poke_interval: 1s, depends_on: []}
  - {name: promote, type: promote_model, model: m, version: v, registry_conn_id: mlflow_default, depends_on: []}
  - {name: slack, type: notify, to: slack, message: hello, depends_on: []}
  - {name: webhook, type: notify, to: webhook, message: hello, depends_on: []}
  - {name: page, type: notify, to: pagerduty, message: hello, execution_timeout: 8s, depends_on: []}
`);
    const { taskQueue, trigger } = { taskQueue: environment.SLUICE_TASK_QUEUE ?? '', trigger: 'watch' };
    const sensor = sensorId(dagId, trigger);
    await applySensorChange(client, { id: sensor, action: 'start', plan, trigger }, taskQueue);
    const run = await startManualRun(client, plan, taskQueue, SOME_DAY, 'one');
    const handle = client.workflow.getHandle(run.pipelineRunId);
    await assert.rejects(handle.result());
    await eventually(async () => {
      const { state } = await standingOf(client, sensor);
      assert.match(state?.why ?? state?.reports[0]?.problem ?? '', /\S/);
    });
    const { instances } = await showRun(client, run);
    const states = Object.fromEntries(instances.all().map(({ task, state, error = '' }) => [task, state === 'failed' && error !== '']));
    assert.deepEqual(states, { ...Object.fromEntries(plan.tasks.map(({ name }) => [name, true])), good: false });
    assert.match(instances.get('sql')?.error ?? '', /\*\*\*/);
    assert.match(JSON.stringify(instances.get('good')?.output), /\*\*\*/);
    const commands = await Promise.all([
      sluice(['show', run.pipelineRunId, '-o', 'json'], environment),
      sluice(['doctor'], environment),
      sluice(['sensors'], environment),
    ]);
    const database = join(homePaths.data(TEST_HOME, 'temporal'), 'temporal.db');
    const texts: Record<string, Buffer> = {
      'the log of the worker': Buffer.from(worker.stderr() + worker.stdout()),
      'the commands': Buffer.from(commands.map(({ stdout, stderr }) => stdout + stderr).join('\n')),
      ...Object.fromEntries([database, `${database}-wal`].filter(existsSync).map((file) => [file, readFileSync(file)])),
    };
    for (const [name, bytes] of Object.entries(texts)) assert.deepEqual(marksIn(bytes), [], name);
    await client.workflow.getHandle(sensor).terminate();
  });
});
