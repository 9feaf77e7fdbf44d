import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'mocha';
import { http } from '../../../activities/http.ts';
import { notify } from '../../../activities/notify.ts';
import { MlflowClient } from '../../../activities/support/models/mlflow/mlflow-client.ts';
import { waitForHttp } from '../../../activities/wait-for-http.ts';
import { PagerDutyStandIn } from '../../../dev/demo/pagerduty-stand-in.ts';
import { sendEvent } from '../../../lib/channels/pagerduty.ts';
import { callHttp } from '../../../lib/http.ts';
import { SchemaRegistry } from '../../../lib/kafka/schema-registry.ts';
import { createLog } from '../../../lib/logging.ts';
import { callDeadMansSwitch } from '../../../monitors/dead-man.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../../support/failure-of.ts';
import { renderedTask } from '../../support/rendered-task.ts';
import { runTask } from '../../support/run-task.ts';
import { planOf } from '../../support/yaml-runs.ts';

const STATUS = [301, 302, 303, 307, 308];
/** Ways out of a folder, as a path. */
const WAYS_OUT = [
  'a/../../admin',
  '../admin',
  'a/..',
  './a',
  'a/%2e%2e/b',
  'a/%2E./b',
  'a/.%2e',
  'a\\..\\b',
  '..',
  'a/..;/b',
  'a/..;x=1/b',
  'a/..%3b/b',
];

describe('who can write YAML, or answers a request, leads elsewhere', function () {
  this.timeout('1m');
  const asked: string[] = [];
  const secret: string[] = [];
  let status = 302;
  let service: string;
  let metadata: string;
  const close: (() => void)[] = [];

  before(async () => {
    metadata = await listen((request, response) => {
      secret.push(`${request.method} ${request.url}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": 1, "schema": "\\"string\\"", "ready": true}');
    });
    service = await listen((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(status, { location: `${metadata}/latest/meta-data/` }).end();
    });
  });
  beforeEach(() => void asked.splice(0));
  after(() => {
    for (const each of close) each();
    assert.deepEqual(secret, []);
  });

  async function listen(answer: RequestListener): Promise<string> {
    const server = createServer((request: IncomingMessage, response) => {
      request.resume();
      request.on('end', () => void answer(request, response));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    close.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const environment = (): Record<string, string> => ({
    SLUICE_CONN_HTTP_DEFAULT: `${service}/?token=t`,
    SLUICE_CONN_WEBHOOK_DEFAULT: `${service}/hook`,
    SLUICE_CONN_SLACK_DEFAULT: `${service}/slack`,
  });

  for (const code of STATUS) {
    it(`no client follows ${code} to another origin`, async () => {
      status = code;
      const signal = new AbortController().signal;
      const run = (taskType: Parameters<typeof runTask>[0], params: JsonObject): Promise<unknown> =>
        failureOf(runTask(taskType, { params, environment: environment() }));
      await run(http, { path: '/a' });
      await run(http, { path: '/a', method: 'POST', body: { card: 1 } });
      await run(waitForHttp, { path: '/a', timeout: '1s' });
      await run(notify, { to: 'webhook', message: 'x' });
      await run(notify, { to: 'slack', message: 'x' });
      const mlflow = new MlflowClient({ type: 'mlflow', url: service, token: 't' }, 'mlflow_default', signal);
      await assert.rejects(mlflow.ask('GET registered-models/search', {}));
      await assert.rejects(new SchemaRegistry(`${service.replace('//', '//ann:secret@')}/registry`).byId(1));
      const ended = new AbortController();
      const calling = callDeadMansSwitch(`${service}/alive`, () => true, createLog('test', 'error'), ended.signal, 60_000);
      await eventually(() => Promise.resolve(assert.ok(asked.includes('POST /alive'))));
      ended.abort();
      await calling;
      assert.deepEqual(secret, []);
      assert.equal(asked.length, 8, asked.join());
    });
  }

  it('nor does the client of PagerDuty, with the key of the service', async () => {
    const pagerDuty = await PagerDutyStandIn.start();
    try {
      for (const code of STATUS) {
        pagerDuty.faults.push({ kind: 'status', status: code, body: '{}', location: `${metadata}/v2/enqueue` });
        const [connection, event] = [
          { type: 'pagerduty', routing_key: 'secret', host: pagerDuty.host },
          { event_action: 'trigger' },
        ] as const;
        await assert.rejects(sendEvent(connection, event as never, new AbortController().signal), /PagerDuty has answered 30/);
      }
      assert.deepEqual(secret, []);
    } finally {
      await pagerDuty.close();
    }
  });

  const task = (keys: JsonObject): string => `dag_id: attack\nparams: {way: a}\ntasks: [${JSON.stringify({ name: 'a', ...keys })}]`;
  const trigger = (keys: JsonObject): string =>
    `dag_id: attack\ntriggers: [${JSON.stringify({ name: 't', ...keys })}]\ntasks: [{name: a, type: empty}]`;
  /** Places that hold a path in YAML. */
  const PLACES: Readonly<Record<string, (way: string) => string>> = {
    'path of http': (way) => task({ type: 'http', path: `/${way}` }),
    'path of wait_for_http': (way) => task({ type: 'wait_for_http', path: `/${way}` }),
    'key of wait_for_s3': (way) => task({ type: 'wait_for_s3', bucket: 'raw-data', key: way }),
    's3_key of postgres_to_s3': (way) => task({ type: 'postgres_to_s3', source_table: 'a', s3_bucket: 'raw-data', s3_key: way }),
    's3_key of s3_to_redshift': (way) => task({ type: 's3_to_redshift', s3_bucket: 'raw-data', redshift_table: 'a', s3_key: way }),
    'report_to of reconcile': (way) =>
      task({
        type: 'reconcile',
        source: { conn_id: 'a', table: 'a' },
        target: { conn_id: 'b', table: 'a' },
        key: ['id'],
        report_to: `s3://reports/${way}`,
      }),
    'dataset of reconcile': (way) =>
      task({
        type: 'reconcile',
        source: { conn_id: 'a', dataset: `s3://reports/${way}` },
        target: { conn_id: 'b', table: 'a' },
        key: ['id'],
      }),
  };
  const LITERAL: typeof PLACES = {
    ...PLACES,
    'store of promote_model': (way) => task({ type: 'promote_model', model: 'a', version: '1', store: `s3://models/${way}` }),
    'path of an http trigger': (way) => trigger({ type: 'http', path: `/${way}`, until: 'event.ready' }),
    'prefix of an s3 trigger': (way) => trigger({ type: 's3', bucket: 'raw-data', prefix: way }),
    'pattern of an s3 trigger': (way) => trigger({ type: 's3', bucket: 'raw-data', pattern: way }),
  };

  for (const [place, yaml] of Object.entries(LITERAL)) {
    it(`${place} leads to no other path: a mistake of the file`, () => {
      for (const way of WAYS_OUT) assert.throws(() => planOf(yaml(way)), /SL205/, way);
      planOf(yaml('a/b..c/.d/e'));
    });
  }

  for (const [place, yaml] of Object.entries(PLACES)) {
    it(`${place} leads to no other path as a value either`, async () => {
      // A value in an address is percent-encoded once more.
      for (const way of WAYS_OUT.filter((each) => !place.startsWith('path') || !each.includes('%'))) {
        const template = yaml('x/{{ params.way }}');
        const [planned] = planOf(template).tasks;
        await assert.rejects(
          async () => {
            const params = renderedTask(template, { way });
            const type = (await import('../../../activities/catalog.ts')).CATALOG.find((each) => each.type === planned?.type);
            if (type) await runTask(type, { params, environment: environment() });
          },
          /'\.\.'|must match format "path"|must match pattern/,
          way,
        );
      }
    });
  }

  it('and no client of HTTP sends such a path, for any caller', async () => {
    for (const way of WAYS_OUT.filter((each) => !each.includes('\\'))) {
      const call = callHttp({ url: `${service}/base` }, { path: `/${way}?a=1`, signal: new AbortController().signal });
      await assert.rejects(call, { name: 'InvalidRequest' }, way);
    }
    assert.deepEqual(asked, []);
  });
});
