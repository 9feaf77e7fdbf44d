import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { homePaths } from '../../../dev/home.ts';
import { ROOT } from '../../../lib/environment.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openS3 } from '../../../lib/s3.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { showRun } from '../../../temporal/runs/follow-run.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { applyChange } from '../../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { applySensorChange, statusOf } from '../../../temporal/sensors/sensors.ts';
import { monitorId, probeId } from '../../../workflows/plan/incidents/incident.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import { canaryConnections, everyForm, fieldsWithoutCanary, secretsIn } from '../../support/canaries.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { sluice, startProcess, type TestProcess } from '../../support/processes.ts';
import { openRogueServers, type RogueServers } from '../../support/rogue-servers.ts';
import { createBucket } from '../../support/s3-dataset.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TEST_HOME, testStack } from '../../support/test-stack.ts';
import { WatchedPlaces } from '../../support/watched-places.ts';
import { compileYaml } from '../../support/compile-yaml.ts';

/** Tasks that use each connection, and fail unless they say that they are good. @param address of a server that says all secrets */
const PIPELINE = (dagId: string, address: string, bucket: string): string => `
dag_id: ${dagId}
schedule_interval: "0 0 1 1 *"
default_args: {retries: 0}
alerts:
  pagerduty: {conn_id: pagerduty_default}
  slack: {conn_id: slack_default}
  webhook: {conn_id: webhook_default}
triggers:
  - {type: http, name: watch, path: /watch, poke_interval: 1s}
tasks:
  - {name: sql, type: sql, sql: SELECT 1, depends_on: []}
  - {name: check, type: sql_check, conn_id: redshift_default, checks: [{name: a, sql: SELECT 1, min: 1}], depends_on: []}
  - {name: compare, type: reconcile, source: {conn_id: shop, table: t}, target: {conn_id: postgres_default, table: t}, key: [id], depends_on: []}
  - {name: extract, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, aws_conn_id: s3_by_key, depends_on: []}
  - {name: object, type: wait_for_s3, bucket: raw-data, key: a, conn_id: s3_by_key, timeout: 1s, poke_interval: 1s, depends_on: []}
  - {name: object_2, type: wait_for_s3, bucket: raw-data, key: a, conn_id: s3_by_path, timeout: 1s, poke_interval: 1s, depends_on: []}
  - {name: publish, type: kafka_publish, topic: t, value: 1, execution_timeout: 8s, depends_on: []}
  - {name: send, type: rabbitmq_publish, queue_name: q, value: 1, execution_timeout: 8s, depends_on: []}
  - {name: call, type: http, path: /call, depends_on: []}
  - {name: by_token, type: http, path: /call, conn_id: by_token, depends_on: []}
  - {name: good, type: http, path: /good, depends_on: []}
  - {name: good_big, type: http, path: /good/big, depends_on: []}
  - {name: wait, type: wait_for_http, path: /wait, timeout: 1s, poke_interval: 1s, depends_on: []}
  - {name: promote, type: promote_model, model: m, version: v, registry_conn_id: mlflow_by_token, depends_on: []}
  - {name: promote_2, type: promote_model, model: m, version: v, registry_conn_id: mlflow_by_password, depends_on: []}
  - {name: slack, type: notify, to: slack, message: hello, depends_on: []}
  - {name: webhook, type: notify, to: webhook, message: hello, depends_on: []}
  - {name: page, type: notify, to: pagerduty, message: hello, execution_timeout: 8s, depends_on: []}
  - {name: good_extract, type: postgres_to_s3, postgres_conn_id: real_postgres, source_table: t, s3_bucket: ${bucket}, depends_on: []}
  - {name: spark, type: spark_job, job_name: says_all, params: {address: "${address}"}, depends_on: [good_extract]}
  - {name: program, type: command, argv: [python3, -c, "${SAY} sys.exit(1)", "${address}"], depends_on: []}
  - {name: good_program, type: command, argv: [python3, -c, "${SAY}", "${address}"], depends_on: []}
`;
const SAY = 'import os, sys, urllib.request as r; print(dict(os.environ), r.urlopen(sys.argv[1]).read().decode());';

/** A secret of each kind of connection, and servers and programs that say all of them, in every encoding. */
describe('secrets', function () {
  this.timeout('3m');
  const taskQueue = `canary-${randomUUID()}`;
  const dagId = `canary_${randomUUID().slice(0, 8)}`;
  let rogue: RogueServers;
  let environment: Record<string, string>;
  let names: readonly string[];
  let folder: { path: string; remove(): Promise<void> };
  let s3: S3Client;
  let bucket: string;
  let database: TestDatabase;
  let client: Client;
  let worker: TestProcess;
  let monitor: TestProcess;
  let places: WatchedPlaces;
  let find: (text: Buffer | string) => string[];

  before(async function () {
    this.timeout('15m');
    folder = await temporaryFolder();
    rogue = await openRogueServers(everyForm, folder.path);
    const stack = (await testStack(['temporal', 'postgres', 's3', 'spark'])).environment;
    const storage = connectionsFrom(stack).get('aws_default', ['aws']);
    s3 = openS3(storage);
    bucket = await createBucket(s3);
    database = await createDatabase();
    await database.rows('CREATE TABLE t (id int)');
    // What works has secrets too.
    const more = [storage.secret_access_key ?? assert.fail('S3 has a key'), new URL(database.url).password];
    find = (text) => secretsIn(text, more);
    const own = { TMPDIR: join(folder.path, 'tmp'), SLUICE_STATE: join(folder.path, 'state') };
    for (const path of Object.values(own)) await mkdir(path);
    const canaries = canaryConnections(rogue.ports);
    ({ names } = canaries);
    environment = {
      ...stack,
      ...canaries.environment,
      SLUICE_CONN_REAL_POSTGRES: database.url,
      ...own,
      NODE_EXTRA_CA_CERTS: rogue.certificateFile,
      SLUICE_TASK_QUEUE: taskQueue,
      SLUICE_OUTPUTS: `s3://${bucket}/outputs`,
      SLUICE_JOBS: join(ROOT, 'test/fixtures/jobs'),
      SLUICE_COMMANDS: 'python3',
    };
    client = await connectClient(environment);
    await ensureSearchAttributes(client);
    // A log of Spark loses its secrets when its job has ended.
    places = new WatchedPlaces([own.TMPDIR], find);
    worker = startProcess('worker.ts', ['--log-level', 'debug'], environment);
    monitor = startProcess('worker.ts', ['--monitors', '--log-level', 'debug'], environment);
    await Promise.all([worker.says('ready'), monitor.says('ready')]);
  });
  after(async () => {
    places.stop();
    for (const id of [monitorId(taskQueue), probeId(taskQueue), sensorId(dagId, 'watch')])
      await client.workflow
        .getHandle(id)
        .terminate()
        .catch(() => undefined);
    await client.schedule
      .getHandle(dagId)
      .delete()
      .catch(() => undefined);
    await Promise.all([worker.stop('SIGKILL'), monitor.stop('SIGKILL')]);
    await client.connection.close();
    s3.destroy();
    await database.drop();
    rogue.close();
    await folder.remove();
  });

  it('are looked for: each secret field of each type of connection, and each connection in a task', () => {
    assert.deepEqual(fieldsWithoutCanary(), []);
    const pipeline = PIPELINE(dagId, '', '');
    // Of these types a task that names none uses the default.
    const usual = ['postgres_default', 'kafka_default', 'rabbitmq_default', 'http_default'];
    // No task uses these.
    const ofDoctor = ['kafka_connect_by_token', 'kafka_connect_by_password'];
    assert.deepEqual(
      names.filter((name) => !pipeline.includes(name) && ![...usual, ...ofDoctor].includes(name)),
      [],
    );
    assert.ok(names.every((name) => find(environment[`SLUICE_CONN_${name.toUpperCase()}`] ?? '').length > 0));
    for (const before of ['', 'x', 'xx']) {
      const text = Buffer.from(`${before}${environment.SLUICE_CONN_POSTGRES_DEFAULT}`);
      for (const encoding of ['utf8', 'base64', 'hex'] as const) assert.notEqual(find(text.toString(encoding)).length, 0, encoding);
    }
  });

  it('are nowhere but in connections, for any output of servers and programs: histories, logs, outputs, pages, commands, files and arguments', async () => {
    const plan = compileYaml(PIPELINE(dagId, `http://127.0.0.1:${rogue.ports.http}/good`, bucket));
    await applyChange(client, { dagId, action: 'create', detail: '', plan }, taskQueue);
    const sensor = sensorId(dagId, 'watch');
    await applySensorChange(client, { id: sensor, action: 'start', plan, trigger: 'watch' }, taskQueue);
    const run = await startManualRun(client, plan, taskQueue, SOME_DAY, 'one');
    await assert.rejects(client.workflow.getHandle(run.pipelineRunId).result());
    await eventually(async () => {
      const { state } = await statusOf(client, sensor);
      assert.match(state?.why ?? state?.reports[0]?.problem ?? '', /\S/);
    });
    const pages = await eventually(() => {
      const all = rogue.received.filter(({ body }) => body.includes(dagId));
      for (const path of ['/v2/enqueue', '/services/', '/hook'])
        assert.ok(
          all.some((each) => each.path.startsWith(path)),
          path,
        );
      return Promise.resolve(all);
    }, 30_000);

    const { instances } = await showRun(client, run);
    const states = Object.fromEntries(instances.all().map(({ task, state, error = '' }) => [task, state === 'failed' && error !== '']));
    assert.deepEqual(states, Object.fromEntries(plan.tasks.map(({ name }) => [name, !name.startsWith('good')])));
    for (const name of ['sql', 'spark', 'program']) assert.match(instances.get(name)?.error ?? '', /\*\*\*/, name);
    for (const name of ['good', 'good_program']) assert.match(JSON.stringify(instances.get(name)?.output), /\*\*\*/, name);

    const commands = await Promise.all(
      [['show', run.pipelineRunId, '-o', 'json'], ['incidents', '-o', 'json'], ['status'], ['doctor'], ['sensors', '-o', 'json']].map(
        async (args) => [`sluice ${args.join(' ')}`, await sluice(args, environment)] as const,
      ),
    );
    places.stop();
    places.lookAtTemporary();
    const temporalDatabase = join(homePaths.data(TEST_HOME, 'temporal'), 'temporal.db');
    const texts: Record<string, Buffer | string> = {
      'the log of the worker': worker.stderr() + worker.stdout(),
      'the log of the monitor': monitor.stderr() + monitor.stdout(),
      ...Object.fromEntries(commands.map(([name, { stdout, stderr }]) => [name, stdout + stderr])),
      ...Object.fromEntries([temporalDatabase, `${temporalDatabase}-wal`].filter(existsSync).map((file) => [file, readFileSync(file)])),
      ...Object.fromEntries(pages.map(({ path, body }, index) => [`page ${index} to ${path.slice(0, 6)}`, withoutKey(body)])),
      ...(await objects()),
    };
    const hits = Object.entries(texts).map(([name, text]) => [name, find(text)] as const);
    assert.deepEqual(Object.fromEntries([...hits, ...places.found].filter(([, found]) => found.length > 0)), {});
    assert.ok(Object.keys(texts).some((name) => name.startsWith('s3://')));
  });

  /** All objects that the worker has written. */
  async function objects(): Promise<Record<string, string>> {
    const { Contents: listed = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const read = listed.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      return [`s3://${bucket}/${Key}`, `${Key} ${(await Body?.transformToString()) ?? ''}`] as const;
    });
    return Object.fromEntries(await Promise.all(read));
  }
});

/** PagerDuty's own key is a part of what it is sent. */
function withoutKey(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), routing_key: '' });
}
