import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { notify } from '../../activities/notify.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { openBlackHole } from '../support/black-hole.ts';
import { endsAtOnce } from '../support/ends-at-once.ts';
import { failureOf } from '../support/failure-of.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { PagerDutyStandIn, ROUTING_KEY } from '../../dev/demo/pagerduty-stand-in.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';

const KEY = 'dag/scheduled/2024-01-01/run/task';

describe('notify', function () {
  this.timeout('20s');
  let pagerDuty: PagerDutyStandIn;
  let inbox: Inbox;
  let url: string;
  let environment: Record<string, string>;

  before(async () => {
    pagerDuty = await PagerDutyStandIn.start();
    inbox = await openInbox();
    ({ url } = inbox);
    environment = {
      ...pagerDuty.environment,
      SLUICE_CONN_SLACK_DEFAULT: `${url}/services/T0/B0/s3cr3t`,
      SLUICE_CONN_WEBHOOK_DEFAULT: url.replace('//', '//user:p4ssw0rd@'),
      SLUICE_CONN_SHOP: 'postgresql://ann:hunter2secret@db/x',
    };
  });
  after(async () => {
    inbox.close();
    await pagerDuty.close();
  });
  beforeEach(() => {
    inbox.reset();
    pagerDuty.events.length = pagerDuty.complaints.length = pagerDuty.faults.length = 0;
  });

  const tell = (params: JsonObject, run: Partial<TaskRun> = {}): Promise<Json> =>
    runTask<Json>(notify, { params: { message: 'sales has failed', ...params }, environment, ...run });

  describe('to Slack', () => {
    it('writes a line that mentions no one by accident', async () => {
      assert.deepEqual(await tell({ to: 'slack', message: 'sales *failed* for <!channel> & co', severity: 'warning' }), { sent: true });
      assert.deepEqual(
        inbox.seen.map(({ path, body }) => [path, body]),
        [['/services/T0/B0/s3cr3t', { text: '⚠️ sales *failed* for &lt;!channel&gt; &amp; co' }]],
      );
    });

    it('does not follow a redirect, which would notify no one', async () => {
      inbox.answer = [302, '', { location: `${url}/elsewhere` }];
      const error = await failureOf(tell({ to: 'slack' }));
      assert.match(error.message, /^Slack has answered 302/);
      assert.deepEqual(
        inbox.seen.map(({ path }) => path),
        ['/services/T0/B0/s3cr3t'],
      );
    });
  });

  describe('to a webhook', () => {
    it('posts the text, its origin, and what identifies a second attempt', async () => {
      await tell({ to: 'webhook', severity: 'info' });
      const [{ body, headers } = assert.fail('nothing came')] = inbox.seen;
      assert.deepEqual(body, {
        key: KEY,
        message: 'sales has failed',
        severity: 'info',
        dag_id: 'dag',
        task: 'task',
        run_id: 'dag/scheduled/2024-01-01',
        data_interval_start: '2024-01-01T00:00:00.000Z',
        data_interval_end: '2024-01-02T00:00:00.000Z',
      });
      assert.deepEqual(
        [headers['idempotency-key'], headers.authorization],
        [KEY, `Basic ${Buffer.from('user:p4ssw0rd').toString('base64')}`],
      );
    });

    it('uses the connection that it is given', async () => {
      await tell({ to: 'webhook', conn_id: 'ops' }, { environment: { SLUICE_CONN_OPS: `${url}/ops` } });
      assert.deepEqual(
        inbox.seen.map(({ path }) => path),
        ['/ops'],
      );
    });

    it('uses the connection of a plan that an earlier release has made, which calls the key otherwise', async () => {
      await tell({ to: 'webhook', connection: 'ops' }, { environment: { SLUICE_CONN_OPS: `${url}/ops` } });
      assert.deepEqual(
        inbox.seen.map(({ path }) => path),
        ['/ops'],
      );
    });

    for (const [status, type, final] of [
      [400, 'RequestRefused', true],
      [404, 'RequestRefused', true],
      [408, 'ServiceUnavailable', false],
      [429, 'ServiceUnavailable', false],
      [500, 'ServiceUnavailable', false],
    ] as const) {
      it(`fails at ${status}, ${final ? 'for good' : 'to be tried again'}, and repeats no secret of the answer`, async () => {
        inbox.answer = [status, 'bad user: user, password: p4ssw0rd, hunter2secret'];
        const error = await failureOf(tell({ to: 'webhook' }));
        assert.deepEqual([error.type, error.nonRetryable], [type, final]);
        assert.match(error.message, new RegExp(`^The webhook has answered ${status}: bad user`));
        assert.match(error.message, /\(connection 'webhook_default'\)/);
        assert.doesNotMatch(JSON.stringify([error.message, error.stack, error.cause]), /p4ssw0rd|hunter2secret/);
      });
    }

    it('retries when the server does not answer', async () => {
      const error = await failureOf(tell({ to: 'webhook' }, { environment: { SLUICE_CONN_WEBHOOK_DEFAULT: 'http://127.0.0.1:1/s3cr3t' } }));
      assert.deepEqual([error.type, error.nonRetryable], ['ServiceUnavailable', false]);
      assert.match(error.message, /^The webhook cannot be reached: /);
      assert.doesNotMatch(error.message, /s3cr3t/);
    });
  });

  describe('to PagerDuty', () => {
    it('opens one alert, however often it is tried', async () => {
      pagerDuty.faults.push({ kind: 'accept-and-hang-up' });
      const error = await failureOf(tell({ to: 'pagerduty', severity: 'critical' }));
      assert.deepEqual([error.type, error.nonRetryable], ['ServiceUnavailable', false]);
      await tell({ to: 'pagerduty', severity: 'critical' }, { attempt: 2 });
      assert.deepEqual([pagerDuty.actionsOf(KEY), pagerDuty.opened.get(KEY)], [['trigger', 'trigger'], 1]);
      const { payload } = pagerDuty.events[0] ?? assert.fail('nothing came');
      assert.deepEqual([payload.summary, payload.source, payload.severity], ['sales has failed', 'dag', 'critical']);
      assert.equal(payload.custom_details.run_id, 'dag/scheduled/2024-01-01');
    });

    it('is an error where nothing else was said', async () => {
      await tell({ to: 'pagerduty' }, { runId: 'another' });
      assert.equal(pagerDuty.events[0]?.payload.severity, 'error');
    });

    it('sends what PagerDuty takes, however long it is', async () => {
      const message = `first line\n${'é😀\u0000'.repeat(100_000)}`;
      await tell({ to: 'pagerduty', message }, { runId: 'r'.repeat(300) });
      await tell({ to: 'pagerduty', message: ' \n ' }, { runId: 'blank' });
      assert.deepEqual(pagerDuty.complaints, []);
      const [{ payload } = assert.fail('nothing came'), blank] = pagerDuty.events;
      assert.match(payload.summary, /^first line é😀/);
      assert.ok(Buffer.byteLength(String(payload.custom_details.message)) <= 32 * 1024);
      assert.equal(blank?.payload.summary, 'dag has no details');
    });

    for (const [status, type, final] of [
      [200, 'ServiceUnavailable', false],
      [400, 'RequestRefused', true],
      [503, 'ServiceUnavailable', false],
    ] as const) {
      it(`fails at ${status}, ${final ? 'for good' : 'to be tried again'}: taken is 202 and nothing else`, async () => {
        pagerDuty.faults.push({ kind: 'status', status });
        const error = await failureOf(tell({ to: 'pagerduty' }));
        assert.deepEqual([error.type, error.nonRetryable], [type, final]);
        assert.match(error.message, new RegExp(`^PagerDuty has answered ${status}`));
      });
    }

    it('ends at once when it is cancelled', async () => {
      const hole = await openBlackHole();
      const nowhere = { SLUICE_CONN_PAGERDUTY_DEFAULT: `pagerduty://k@${hole.address}` };
      await endsAtOnce((watch) => tell({ to: 'pagerduty' }, { environment: nowhere, ...watch }), hole.entered);
      hole.close();
    });
  });

  it('sends no secrets of its environment', async () => {
    const message = `hunter2secret ${ROUTING_KEY} password=unknown1 https://hooks.slack.com/services/T1/B1/unknown2`;
    for (const to of ['slack', 'webhook', 'pagerduty']) await tell({ to, message }, { runId: `secrets/${to}` });
    const [event] = pagerDuty.events;
    const said = JSON.stringify([inbox.seen.map(({ body }) => body), { ...event, routing_key: '' }]);
    assert.equal(said.match(/\*\*\* \*\*\* password=\*\*\* https:\/\/hooks\.slack\.com\/\*\*\*/g)?.length, 4);
    for (const secret of ['hunter2secret', ROUTING_KEY, 'unknown1', 'unknown2']) assert.ok(!said.includes(secret), secret);
  });

  for (const to of ['slack', 'pagerduty', 'webhook']) {
    it(`names the variable to set where there is no ${to}_default`, async () => {
      const error = await failureOf(tell({ to }, { environment: {} }));
      assert.deepEqual([error.type, error.nonRetryable], ['ConnectionNotDefined', true]);
      assert.match(
        error.message,
        new RegExp(`^Connection '${to}_default' is not defined\\. Set SLUICE_CONN_${to.toUpperCase()}_DEFAULT in the environment`),
      );
    });
  }
});
