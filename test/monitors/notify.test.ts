import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { ApplicationFailure } from '@temporalio/activity';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import { notify } from '../../monitors/notify.ts';
import type { Notice } from '../../workflows/plan/incidents/incident.ts';
import { PagerDutyStandIn, ROUTING_KEY } from '../../dev/demo/pagerduty-stand-in.ts';
import { SOME_PAGE } from '../support/some-page.ts';

describe('a notice to PagerDuty', function () {
  this.timeout('1m');
  let pagerDuty: PagerDutyStandIn;
  before(async () => {
    pagerDuty = await PagerDutyStandIn.start();
  });
  after(() => pagerDuty.close());
  beforeEach(() => {
    pagerDuty.events.length = 0;
    pagerDuty.faults.length = 0;
    pagerDuty.complaints.length = 0;
  });

  const say = (change: Partial<Notice> = {}, secrets = new Scrubber([]), limitMs = 8_000): Promise<void> => {
    const notice = {
      channel: 'pagerduty',
      connection: 'pagerduty_default',
      action: 'trigger',
      key: 'sales/failed/2024-01-01',
      page: SOME_PAGE,
      ...change,
    } as const;
    return notify(connectionsFrom(pagerDuty.environment), secrets, notice, { limitMs });
  };
  const failure = async (work: Promise<unknown>): Promise<ApplicationFailure> => {
    const error = await work.then(
      () => assert.fail('it was taken'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApplicationFailure, String(error));
    return error;
  };

  it('arrives whole', async () => {
    await say();
    const [event] = pagerDuty.events;
    assert.equal(event?.routing_key, ROUTING_KEY);
    assert.deepEqual(
      [event?.event_action, event?.dedup_key, event?.payload.summary, event?.payload.severity, event?.payload.timestamp],
      ['trigger', 'sales/failed/2024-01-01', 'sales failed', 'critical', '2024-01-02T00:00:00Z'],
    );
    assert.deepEqual(event?.payload.custom_details, { interval: '2024-01-01' });
    assert.deepEqual(event?.links, [{ href: 'http://127.0.0.1:8233/run', text: 'The run' }]);
  });

  it('is taken by 202 and nothing else: what may become well is tried again, what cannot is not', async () => {
    const answers = [
      [200, false],
      [400, true],
      [403, true],
      [500, false],
      [503, false],
    ] as const;
    for (const [status, hopeless] of answers) {
      pagerDuty.faults.push({ kind: 'status', status });
      const { nonRetryable, message } = await failure(say());
      assert.deepEqual([nonRetryable, message.includes(String(status))], [hopeless, true]);
    }
    assert.equal(pagerDuty.events.length, 0);
  });

  it('is retried for a moment when there are too many, and fails then', async () => {
    const tooMany = { kind: 'status', status: 429 } as const;
    pagerDuty.faults.push(tooMany, tooMany);
    await say();
    assert.equal(pagerDuty.events.length, 1);
    pagerDuty.faults.push(...Array.from({ length: 4 }, () => tooMany));
    assert.equal((await failure(say())).nonRetryable, false);
  });

  it('fails, to be tried again, at a page of HTML and at a reset', async () => {
    pagerDuty.faults.push({ kind: 'status', status: 502, body: '<html>Bad gateway</html>', type: 'text/html' });
    assert.equal((await failure(say())).nonRetryable, false);
    pagerDuty.faults.push({ kind: 'reset' });
    assert.equal((await failure(say())).nonRetryable, false);
  });

  it('gives a black hole up, to be tried again', async () => {
    pagerDuty.faults.push({ kind: 'hang' });
    const began = performance.now();
    const { nonRetryable, message } = await failure(say({}, new Scrubber([]), 300));
    assert.deepEqual([nonRetryable, message], [false, 'No answer in 0.3 s.']);
    assert.ok(performance.now() - began >= 300);
  });

  it('is valid for any content', async () => {
    const nasty = 'é😀\n\u0000"\\\ud83d';
    await say({
      key: 'k'.repeat(300),
      page: {
        ...SOME_PAGE,
        summary: nasty.repeat(1_000),
        source: nasty.repeat(1_000),
        kind: '',
        since: 'never',
        details: { log: nasty.repeat(300_000), list: Array.from({ length: 20_000 }, () => nasty) },
        links: [
          { href: 'javascript:alert(1)', text: 'x' },
          { href: `https://${'x'.repeat(10_000)}`, text: 'x' },
          ...Array.from({ length: 100 }, () => ({ href: 'https://wiki/sales', text: nasty.repeat(1_000) })),
        ],
      },
    });
    await say({ key: '', page: { ...SOME_PAGE, summary: '', source: '' } });
    assert.deepEqual(pagerDuty.complaints, []);
    assert.equal(pagerDuty.events.length, 2);
  });

  it('keeps keys apart that begin alike, and the same key the same', async () => {
    for (const end of ['a', 'b', 'a']) await say({ key: 'k'.repeat(300) + end });
    const [first, second, third] = pagerDuty.events.map(({ dedup_key }) => dedup_key);
    assert.notEqual(first, second);
    assert.equal(first, third);
  });

  it('holds no secret', async () => {
    const secrets = scrubberOf({
      SLUICE_CONN_A: 'postgresql://ann:hunter2secret@db/x',
      SLUICE_CONN_B: '{"type":"kafka","password":"kafka-p4ss"}',
      ...pagerDuty.environment,
    });
    const telling = [
      'hunter2secret',
      'kafka-p4ss',
      ROUTING_KEY,
      'postgres://u:s3cr3t@h/db',
      'password=s3cr3t',
      '"api_key": "s3cr3t"',
      'Authorization: Bearer s3cr3ts3cr3t',
      'https://b.s3/x?X-Amz-Signature=s3cr3t',
      'AKIAABCDEFGHIJKLMNOP',
    ];
    await say(
      {
        page: {
          ...SOME_PAGE,
          summary: telling.join(' '),
          details: { error: telling, deep: { er: telling.join('\n') } },
          links: [{ href: 'https://u:s3cr3t@wiki/x', text: 'x' }],
        },
      },
      secrets,
    );
    const [event] = pagerDuty.events;
    const text = JSON.stringify({ ...event, routing_key: '' });
    for (const secret of ['hunter2secret', 'kafka-p4ss', ROUTING_KEY, 's3cr3t', 'AKIAABCDEFGHIJKLMNOP'])
      assert.ok(!text.includes(secret), `${secret} in ${text}`);
  });

  it('warns under a separate key', async () => {
    await say({ action: 'warn', page: { ...SOME_PAGE, severity: 'warning' } });
    await say();
    await say({ action: 'unwarn' });
    assert.deepEqual(
      pagerDuty.events.map(({ dedup_key, event_action }) => `${event_action} ${dedup_key}`),
      ['trigger sales/failed/2024-01-01/warning', 'trigger sales/failed/2024-01-01', 'resolve sales/failed/2024-01-01/warning'],
    );
  });
});
