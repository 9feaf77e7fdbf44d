import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { WorkflowHandle } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type Answer, type OddService, openOddService } from '../../support/odd-service.ts';
import { unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

/** What a task waits for, what it says as long as it is not there, and how it comes to be there. */
interface Absent {
  readonly name: string;
  readonly task: () => JsonObject;
  readonly reason: RegExp;
  readonly cure: () => Promise<unknown>;
}

const id = unique();
const JSON_TYPE = { 'content-type': 'application/json' };
const DONE: Answer = [200, JSON_TYPE, '{"status": "done", "job": {"status": "done"}, "ready": true}'];
const MAINTENANCE = '<html><title>Down for maintenance</title></html>';

describe('tasks that wait: what cannot be read yet is not there yet', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let service: OddService;
  let bucket: TestBucket;
  let kafka: TestKafka;
  let folder: string;
  const later = { database: `later_${id}`, bucket: `later-${id}`, topic: `later-${id}`, mixed: `mixed-${id}`, again: `again-${id}` };

  before(async function () {
    this.timeout('20m');
    folder = await mkdtemp(join(tmpdir(), 'sluice-waits-'));
    service = await openOddService(folder);
    bucket = await createBucket();
    const { environment } = await testStack(['temporal', 'postgres', 's3', 'kafka']);
    kafka = await TestKafka.connect(environment);
    const database = new URL(environment.SLUICE_CONN_POSTGRES_DEFAULT ?? '');
    const changed = (change: Partial<Pick<URL, 'pathname' | 'password' | 'host'>>): string => Object.assign(new URL(database), change).href;
    runs = await createYamlRuns({
      parts: ['temporal', 'postgres', 's3', 'kafka'],
      environment: {
        SLUICE_CONN_HTTP_DEFAULT: service.url,
        SLUICE_CONN_SELF_SIGNED: service.tlsUrl,
        SLUICE_CONN_NOBODY: 'http://127.0.0.1:1',
        SLUICE_CONN_NO_HOST: 'http://there-is-none.invalid',
        SLUICE_CONN_LATER_DATABASE: changed({ pathname: `/${later.database}` }),
        SLUICE_CONN_NO_DATABASE_SERVER: changed({ host: '127.0.0.1:1' }),
        SLUICE_CONN_NO_S3: 'aws://KEY:SECRET@/?endpoint_url=http://127.0.0.1:1',
        SLUICE_CONN_NO_KAFKA: 'kafka://127.0.0.1:1',
        SLUICE_CONN_WRONG_KEYS: `aws://NOKEY:NOSECRET@/?endpoint_url=${bucket.connection.endpoint_url}`,
      },
    });
    await runs.source.rows('CREATE TABLE rows (id int)');
    await runs.source.rows('INSERT INTO rows VALUES (1)');
    await kafka.createTopic(later.mixed);
    await kafka.sendJson(later.mixed, [{ other: 1 }]);
    await kafka.createTopic(later.again);
    await kafka.sendJson(later.again, [{ day: 'x' }, { day: 'y' }, { day: 'z' }]);
  });
  after(async () => {
    await runs.worker.stop('SIGKILL');
    await runs.source.rows(`DROP DATABASE IF EXISTS ${later.database} WITH (FORCE)`);
    await runs.close();
    service.close();
    await kafka.close();
    await bucket.drop();
    await rm(folder, { recursive: true });
  });

  const yamlOf = (tasks: readonly JsonObject[]): string =>
    `dag_id: hr_wait_${unique()}\nschedule_interval: null\ntasks: ${JSON.stringify(tasks)}\n`;

  /** What the UI shows of the task between two looks. */
  const isTold = (run: WorkflowHandle, reason: RegExp): Promise<void> =>
    eventually(async () => {
      const { raw } = await run.describe();
      assert.match(raw.pendingActivities?.[0]?.lastFailure?.message ?? '', reason);
    }, 40_000);

  /** A service that answers something else first. */
  const http = (name: string, first: Answer, reason: RegExp, more: JsonObject = { until: 'body.status == "done"' }): Absent => {
    const path = `/${name.replaceAll(' ', '-')}`;
    return {
      name: `wait_for_http: ${name}`,
      task() {
        service.replies.set(path, first);
        return { type: 'wait_for_http', path, ...more };
      },
      reason,
      cure: () => Promise.resolve(service.replies.set(path, DONE)),
    };
  };
  const sql = (name: string, query: string, reason: RegExp, cure: string, more: JsonObject = {}): Absent => ({
    name: `wait_for_sql: ${name}`,
    task: () => ({ type: 'wait_for_sql', sql: query, ...more }),
    reason,
    cure: () => runs.source.rows(cure),
  });

  const ABSENT: readonly Absent[] = [
    http(
      'a page of 200',
      [200, { 'content-type': 'text/html' }, MAINTENANCE],
      /`body\.status == "done"`: .*Its answer: a page, 'Down for maintenance'/,
    ),
    http('a page of 503', [503, { 'content-type': 'text/html' }, MAINTENANCE], /with 503\. Its answer: a page, 'Down for maintenance'/, {}),
    http('a missing key', [200, JSON_TYPE, '{}'], /body\.status == "done".*status/),
    http('null on the way', [200, JSON_TYPE, '{"job": null}'], /body\.job\.status == "done"/, { until: 'body.job.status == "done"' }),
    http('another type', [200, JSON_TYPE, '{"status": 1}'], /body\.status > "a"/, { until: 'body.status > "a"' }),
    http('a value that is not a condition', [200, JSON_TYPE, '{"ready": 1}'], /neither true nor false/, { until: 'body.ready' }),
    http('no page', [404, JSON_TYPE, '{}'], /with 404/, {}),
    http('no login', [401, JSON_TYPE, '{}'], /with 401/, {}),
    http('broken JSON', [200, JSON_TYPE, '{"status"'], /is not the JSON that its content-type says it is/),
    http('an unknown charset', [200, { 'content-type': 'text/html; charset=utf-7' }, 'x'], /charset 'utf-7'/),
    http('a redirect without end', [302, { location: '/a-redirect-without-end' }], /more than 20 times/),
    sql('a missing table', 'SELECT count(*) FROM later_table', /"later_table" does not exist/, 'CREATE TABLE later_table AS SELECT 1'),
    sql('a missing schema', 'SELECT 1 FROM later.t', /"later\.t" does not exist/, 'CREATE SCHEMA later CREATE VIEW t AS SELECT 1'),
    sql('a missing column', 'SELECT later FROM rows', /column "later" does not exist/, 'ALTER TABLE rows ADD later int DEFAULT 1'),
    sql('no row', 'SELECT 1 FROM rows WHERE id = 2', /gives no row/, 'INSERT INTO rows VALUES (2)'),
    sql('a missing database', 'SELECT 1', /names a database that .* does not have/, `CREATE DATABASE ${later.database}`, {
      conn_id: 'later_database',
    }),
    {
      name: 'wait_for_s3: a missing bucket',
      task: () => ({ type: 'wait_for_s3', bucket: later.bucket, key: 'a/*.csv' }),
      reason: /There is no bucket/,
      async cure() {
        await bucket.client.send(new CreateBucketCommand({ Bucket: later.bucket }));
        await bucket.client.send(new PutObjectCommand({ Bucket: later.bucket, Key: 'a/1.csv', Body: 'a' }));
      },
    },
    {
      name: 'wait_for_s3: a missing key',
      task: () => ({ type: 'wait_for_s3', bucket: bucket.name, key: 'a.csv' }),
      reason: /a\.csv is not there/,
      cure: () => bucket.put('a.csv', 'a'),
    },
    {
      name: 'wait_for_kafka: a missing topic',
      task: () => ({ type: 'wait_for_kafka', topic: later.topic }),
      reason: /There is no topic/,
      async cure() {
        await kafka.createTopic(later.topic);
        await kafka.sendJson(later.topic, [{ a: 1 }]);
      },
    },
    {
      name: 'wait_for_kafka: records without the key',
      task: () => ({ type: 'wait_for_kafka', topic: later.mixed, until: 'event.day == ds' }),
      reason: /No record of .* yet for which event\.day == ds/,
      cure: () => kafka.sendJson(later.mixed, [{ day: '2026-11-26' }]),
    },
    {
      name: 'wait_for_kafka: a topic that is created again, with fewer records',
      task: () => ({ type: 'wait_for_kafka', topic: later.again, until: 'event.day == ds' }),
      reason: /No record of .* yet for which/,
      async cure() {
        await kafka.admin.deleteTopics({ topics: [later.again] });
        await eventually(() => kafka.createTopic(later.again), 30_000);
        await kafka.sendJson(later.again, [{ day: '2026-11-26' }]);
      },
    },
  ];
  const started = new Map<string, WorkflowHandle>();
  before(async () => {
    await Promise.all(
      ABSENT.map(async ({ name, task }) =>
        started.set(name, await runs.start(yamlOf([{ name: 'w', poke_interval: '1s', timeout: '2m', ...task() }]))),
      ),
    );
  });
  for (const { name, reason, cure } of ABSENT) {
    it(name, async () => {
      const run = started.get(name) ?? assert.fail();
      await isTold(run, reason);
      await cure();
      const { tasks } = (await run.result()) as RunResult;
      assert.equal(tasks.w?.state, 'success');
    });
  }

  type Failing = readonly [task: JsonObject, reason: RegExp];
  /** Failures end with what was seen last. */
  const IN_VAIN: readonly Failing[] = [
    [{ type: 'wait_for_http', path: '/x', conn_id: 'nobody' }, /http:\/\/127\.0\.0\.1:1\/ did not answer \/x: connect ECONNREFUSED/],
    [{ type: 'wait_for_http', path: '/x', conn_id: 'no_host' }, /did not answer \/x: getaddrinfo (ENOTFOUND|EAI_AGAIN)/],
    [{ type: 'wait_for_http', path: '/hang', request_timeout: '1s' }, /did not answer GET \/hang within 1s \('request_timeout'\)/],
    [{ type: 'wait_for_http', path: '/404' }, /answers \/404 with 404/],
    [{ type: 'wait_for_sql', sql: 'SELECT 1 FROM there_is_none' }, /relation "there_is_none" does not exist/],
    [{ type: 'wait_for_sql', sql: 'SELECT 1', conn_id: 'no_database_server' }, /127\.0\.0\.1:1.* cannot be reached/],
    [{ type: 'wait_for_s3', bucket: `none-${id}`, key: 'a' }, /There is no bucket 'none-/],
    [{ type: 'wait_for_s3', bucket: 'a-bucket', key: 'a', conn_id: 'no_s3' }, /ECONNREFUSED/],
    [{ type: 'wait_for_kafka', topic: `none-${id}` }, /There is no topic 'none-/],
    [{ type: 'wait_for_kafka', topic: 'a', conn_id: 'no_kafka', timeout: '20s' }, /127\.0\.0\.1:1|a: no answer within/],
    [{ type: 'wait_for_pipeline', dag_id: 'there_is_none' }, /there_is_none has no run/],
  ];
  /** Mistakes of the pipeline; and logins that are refused, which more tries may lock. */
  const AT_ONCE: readonly Failing[] = [
    [{ type: 'wait_for_http', path: 'http://127.0.0.1:1/x' }, /is not at http/],
    [{ type: 'wait_for_http', path: '/x', conn_id: 'self_signed' }, /Set 'ca_file' of its connection/],
    [{ type: 'wait_for_sql', sql: 'SELEC 1' }, /syntax error/],
    [{ type: 'wait_for_sql', sql: 'DELETE FROM rows' }, /is not one SELECT that can be read/],
    [{ type: 'wait_for_sql', sql: 'SELECT 1', conn_id: 'not_defined' }, /Connection 'not_defined' is not defined/],
    [{ type: 'wait_for_s3', bucket: 'a-bucket', key: 'a', conn_id: 'wrong_keys' }, /Check the connection's keys/],
  ];
  for (const [title, cases, timeout, form] of [
    ['at the time-out, the last reason is in the failure', IN_VAIN, '5s', /^Waited for (5|20)s in vain\. ./],
    ['what waiting does not change fails at once', AT_ONCE, '24h', /^(?!Waited)/],
  ] as const) {
    describe(title, () => {
      let tasks: RunResult['tasks'];
      before(async () => {
        // Side by side in one run.
        const all = cases.map(([task], index) => ({ name: `w${index}`, depends_on: [], poke_interval: '1s', timeout, ...task }));
        ({ tasks } = await runs.run(yamlOf(all)));
      });
      for (const [index, [task, reason]] of cases.entries()) {
        it(JSON.stringify(task), () => {
          assert.equal(tasks[`w${index}`]?.state, 'failed');
          assert.match(tasks[`w${index}`]?.error ?? '', form);
          assert.match(tasks[`w${index}`]?.error ?? '', reason);
        });
      }
    });
  }
});
