import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/run/create-activities.ts';
import type { Environment } from '../../lib/environment.ts';
import { connectClient } from '../../temporal/connect.ts';
import { createRunLookup } from '../../temporal/runs/run-lookup.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult, TaskResult } from '../../workflows/plan/runs/run.ts';
import { compiler } from '../support/compiler.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { taskDependencies } from '../support/task-dependencies.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

const DAY = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };

describe('tasks that wait', function () {
  this.timeout('1m');
  let environment: Environment;
  let worker: TestWorker;
  let bucket: TestBucket;
  let database: TestDatabase;
  let kafka: TestKafka;
  let service: Server;
  let answer: { status: number; body: unknown } = { status: 503, body: null };

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal', 's3', 'postgres', 'kafka']);
    bucket = await createBucket();
    database = await createDatabase();
    kafka = await TestKafka.connect(stack.environment);
    service = createServer((_, response) =>
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body)),
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => service.once('listening', resolve));
    environment = {
      ...stack.environment,
      SLUICE_CONN_OWN_DATABASE: database.url,
      SLUICE_CONN_HTTP_DEFAULT: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    };
    const client = await connectClient(environment);
    worker = await startTestWorker(environment, createActivities(CATALOG, taskDependencies(environment, createRunLookup(client))));
  });
  after(async () => {
    await worker.close();
    service.close();
    await kafka.close();
    await database.drop();
    await bucket.drop();
  });

  function planOf(tasks: readonly string[], more = ''): Plan {
    const text = `dag_id: waits_${unique()}\n${more}tasks:\n${tasks.map((each) => `  - ${each}\n`).join('')}  - {name: last, type: empty, trigger_rule: all_done}\n`;
    const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    );
    return plan ?? assert.fail('it does not compile');
  }

  const start = async (plan: Plan, interval = DAY): Promise<string> =>
    (await startManualRun(worker.client, plan, worker.taskQueue, interval, unique())).pipelineRunId;
  const resultOf = async (run: string, name = 'a'): Promise<TaskResult | undefined> =>
    ((await worker.client.workflow.getHandle(run).result()) as RunResult).tasks[name];

  async function failedResultOf(run: string): Promise<RunResult> {
    const error: unknown = await worker.client.workflow
      .getHandle(run)
      .result()
      .then(
        () => assert.fail('it did not fail'),
        (thrown: unknown) => thrown,
      );
    assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure);
    return error.cause.details?.[0] as RunResult;
  }

  /** What the UI shows of the task while it waits. */
  async function waitsFor(run: string, reason: RegExp): Promise<void> {
    await eventually(async () => {
      const { raw } = await worker.client.workflow.getHandle(run).describe();
      const [pending] = raw.pendingActivities ?? [];
      // Between looks it is with nobody.
      assert.equal(pending?.state, 1);
      assert.ok((pending?.attempt ?? 0) > 1);
      assert.match(pending?.lastFailure?.message ?? '', reason);
    }, 20_000);
  }

  it('wait_for_s3: until an object is there whose key matches', async () => {
    const run = await start(
      planOf([`{name: a, type: wait_for_s3, bucket: ${bucket.name}, key: "sales/{{ ds }}/*.csv", poke_interval: 1s, timeout: 30s}`]),
    );
    await waitsFor(run, /s3:\/\/.*\/sales\/2024-01-01\/\*\.csv is not there/);
    await bucket.put('sales/2024-01-01/part.csv', 'abc');
    assert.deepEqual(await resultOf(run), { state: 'success', output: { key: 'sales/2024-01-01/part.csv', bytes: 3 } });
  });

  it('wait_for_sql: until the first value is something', async () => {
    const { client } = database;
    await client.query('CREATE TABLE loads (day date)');
    const run = await start(
      planOf([
        '{name: a, type: wait_for_sql, conn_id: own_database, sql: "SELECT count(*)::int AS n FROM loads WHERE day = {{ ds }}", poke_interval: 1s, timeout: 30s}',
      ]),
    );
    await waitsFor(run, /The query gives 0/);
    await client.query("INSERT INTO loads VALUES ('2024-01-01')");
    assert.deepEqual(await resultOf(run), { state: 'success', output: { first: { n: 1 } } });
  });

  it('wait_for_http: until the answer matches', async () => {
    const run = await start(
      planOf(['{name: a, type: wait_for_http, path: /health, until: body.day == ds, poke_interval: 1s, timeout: 30s}']),
    );
    await waitsFor(run, /answers \/health with 503/);
    answer = { status: 200, body: { day: '2023-12-31' } };
    await waitsFor(run, /not yet: body\.day == ds/);
    answer = { status: 200, body: { day: '2024-01-01' } };
    assert.deepEqual(await resultOf(run), { state: 'success', output: { status: 200, body: { day: '2024-01-01' } } });
  });

  it('wait_for_kafka: until a record matches, since the start of the interval', async () => {
    const topic = `waits-${unique()}`;
    await kafka.createTopic(topic, 2);
    await kafka.send(topic, [
      { value: 'no JSON' },
      { value: '{"day": "2024-01-01", "early": true}', timestamp: String(Date.parse(DAY.start) - 1) },
    ]);
    const run = await start(
      planOf([`{name: a, type: wait_for_kafka, topic: ${topic}, until: event.day == ds, poke_interval: 1s, timeout: 50s}`]),
    );
    await waitsFor(run, /No record of .* yet for which event\.day == ds/);
    await kafka.sendJson(topic, [{ day: '2024-01-02' }, { day: '2024-01-01' }]);
    assert.deepEqual(await resultOf(run), { state: 'success', output: { event: { day: '2024-01-01' } } });
  });

  it('wait_for_pipeline: until another has succeeded for the same interval, or one that covers it', async () => {
    const other = planOf([]);
    const same = await start(planOf([`{name: a, type: wait_for_pipeline, dag_id: ${other.dagId}, poke_interval: 1s, timeout: 30s}`]));
    const covering = await start(
      planOf([`{name: a, type: wait_for_pipeline, dag_id: ${other.dagId}, interval: covering, poke_interval: 1s, timeout: 40s}`]),
      { start: '2024-01-01T06:00:00Z', end: '2024-01-01T07:00:00Z' },
    );
    await waitsFor(same, new RegExp(`${other.dagId} has no run for 2024-01-01T00:00:00Z – 2024-01-02T00:00:00Z`));
    const run = await start(other);
    assert.deepEqual(await resultOf(same), { state: 'success', output: { run_id: run } });
    assert.deepEqual(await resultOf(covering), { state: 'success', output: { run_id: run } });
  });

  it('wait_until: a time of day where the pipeline is, of the day on which the interval ends', async () => {
    const schedule = 'schedule: {cron: "0 0 * * *", timezone: Europe/Berlin}\n';
    const passed = await start(planOf(['{name: a, type: wait_until, time: "06:30"}'], schedule));
    assert.deepEqual(await resultOf(passed), { state: 'success', output: { time: '2024-01-02T05:30:00.000Z' } });
    const soon = new Date(Date.now() + 3_000).toISOString();
    const run = await start(planOf([`{name: a, type: wait_until, time: "${soon}", poke_interval: 1h}`]));
    const { state } = (await resultOf(run)) ?? {};
    assert.equal(state, 'success');
    assert.ok(Date.now() >= Date.parse(soon));
  });

  it('timeout: it fails, and names what was missing; soft_fail: it is skipped', async () => {
    const wait = (name: string, more: string): string =>
      `{name: ${name}, type: wait_for_s3, bucket: ${bucket.name}, key: none, poke_interval: 1m, timeout: 3s, depends_on: []${more}}`;
    const run = await start(planOf([wait('a', ''), wait('b', ', soft_fail: true')]));
    const began = Date.now();
    const { tasks } = await failedResultOf(run);
    // The last look is at the end of the time, however long the interval is.
    assert.ok(Date.now() - began < 10_000);
    assert.deepEqual([tasks.a?.state, tasks.b?.state, tasks.last?.state], ['failed', 'skipped', 'success']);
    assert.match(tasks.a?.error ?? '', /^Waited for 3s in vain\. s3:\/\/.*\/none is not there\.$/);
    assert.match(tasks.b?.note ?? '', /^Waited for 3s in vain/);
  });

  it('what is wrong for good fails at once', async () => {
    const run = await start(planOf(['{name: a, type: wait_for_sql, conn_id: own_database, sql: SELEC 1, poke_interval: 1s, timeout: 1h}']));
    const { tasks } = await failedResultOf(run);
    assert.match(tasks.a?.error ?? '', /syntax error at or near "SELEC"/);
  });
});
