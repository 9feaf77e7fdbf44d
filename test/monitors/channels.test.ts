import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { CHANNELS } from '../../channels/catalog.ts';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { announceEdit } from '../../monitors/announce-edit.ts';
import { callDeadMansSwitch } from '../../monitors/dead-man.ts';
import { notify } from '../../monitors/notify.ts';
import { PagerDutyStandIn, ROUTING_KEY } from '../../dev/demo/pagerduty-stand-in.ts';
import type { Notice, Page } from '../../workflows/plan/incidents/incident.ts';
import { eventually } from '../support/eventually.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { planOf, task } from '../support/plans.ts';
import { SOME_PAGE } from '../support/some-page.ts';

const PAGE: Page = { ...SOME_PAGE, summary: 'sales <failed> & stopped; the password is hunter2secret' };

describe('beside PagerDuty', function () {
  this.timeout('20s');
  let inbox: Inbox;
  before(async () => {
    inbox = await openInbox();
  });
  after(() => inbox.close());
  beforeEach(() => inbox.reset());

  const say = (channel: Notice['channel'], action: Notice['action'], more: Partial<Notice> = {}): Promise<void> =>
    notify(connectionsFrom({ SLUICE_CONN_OPS: `${inbox.url}/services/T0` }), new Scrubber([{ value: 'hunter2secret' }]), {
      ...{ channel, connection: 'ops', action, key: 'sales/failed/2024-01-01', page: PAGE },
      ...more,
    });
  const texts = (): string[] => inbox.seen.map(({ body }) => String(body.text));

  it('Slack receives each step in a line, with the links and without secrets', async () => {
    await say('slack', 'trigger');
    await say('slack', 'acknowledge', { by: 'ana <on call>' });
    await say('slack', 'resolve');
    const link = '<http://127.0.0.1:8233/run|The run>';
    const line = (start: string): string => `${start}: sales &lt;failed&gt; &amp; stopped; the password is ***\n${link}`;
    assert.deepEqual(texts(), [line('🔴 *Breach*'), line('👀 *Acknowledged by ana &lt;on call&gt;*'), line('✅ *Resolved*')]);
  });

  it('Slack is not notified of a breach where a run only waits for people', async () => {
    for (const action of ['trigger', 'acknowledge', 'resolve'] as const)
      await say('slack', action, { page: { ...PAGE, kind: 'waits', summary: 'Waits for approval of ask: Go? | sales', links: [] } });
    const said = ': Waits for approval of ask: Go? | sales';
    assert.deepEqual(texts(), [`✋ *Waits for a decision*${said}`, `👀 *Acknowledged*${said}`, `✅ *No longer waits*${said}`]);
  });

  it('a webhook receives each step as JSON', async () => {
    await say('webhook', 'trigger');
    await say('webhook', 'resolve', { by: 'ana' });
    assert.deepEqual(
      inbox.seen.map(({ path, body: { action, key, by, kind, severity, details } }) => [path, action, key, by, kind, severity, details]),
      [
        ['/services/T0', 'trigger', 'sales/failed/2024-01-01', undefined, 'failed', 'critical', { interval: '2024-01-01' }],
        ['/services/T0', 'resolve', 'sales/failed/2024-01-01', 'ana', 'failed', 'critical', { interval: '2024-01-01' }],
      ],
    );
    assert.ok(!JSON.stringify(inbox.seen).includes('hunter2secret'));
  });

  for (const channel of ['slack', 'webhook'] as const) {
    it(`${channel}: what may become well is tried again, what cannot is not`, async () => {
      for (const [status, type] of [
        [503, 'ChannelUnavailable'],
        [404, 'ChannelRefused'],
      ] as const) {
        inbox.answer = [status, 'no'];
        await assert.rejects(say(channel, 'trigger'), { type, nonRetryable: type === 'ChannelRefused' });
      }
    });
  }

  it("the dead man's switch is called while a monitor is healthy, for any answer; not any more when it is not", async () => {
    const stop = new AbortController();
    let well = true;
    const warnings: string[] = [];
    const nothing = (): void => undefined;
    const log = { debug: nothing, info: nothing, warn: (text: string) => void warnings.push(text), error: nothing };
    const calling = callDeadMansSwitch(`${inbox.url}/ping/abc`, () => well, log, stop.signal, 20);
    inbox.answer = [500, 'oh'];
    await eventually(() => Promise.resolve(assert.ok(inbox.seen.length >= 2)));
    inbox.answer = [200, 'ok'];
    await eventually(() => Promise.resolve(assert.ok(inbox.seen.length >= 4)));
    assert.equal(inbox.seen[0]?.path, '/ping/abc');
    assert.match(warnings[0] ?? '', /has answered 500/);
    well = false;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const until = inbox.seen.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(inbox.seen.length, until);
    stop.abort();
    await calling;
  });
});

describe('an edit of a pipeline', () => {
  it('is a change event where its alerts go, and nothing where they go nowhere', async () => {
    const pagerDuty = await PagerDutyStandIn.start();
    try {
      const connections = connectionsFrom(pagerDuty.environment);
      const alerts = { pagerduty: { connection: 'pagerduty_default' } };
      const before = planOf('sales', [task('a', 'ok'), task('b', 'ok')], { alerts });
      const edited = planOf('sales', [task('a', 'ok'), task('c', 'ok')], { alerts, hash: 'f'.repeat(64), owner: 'ana' });
      await announceEdit(connections, CHANNELS, before, edited);
      await announceEdit(connections, CHANNELS, before, planOf('sales', [task('a', 'ok')]));
      const [change, ...others] = pagerDuty.changes as { routing_key: string; payload: Record<string, unknown> }[];
      assert.deepEqual(others, []);
      assert.equal(change?.routing_key, ROUTING_KEY);
      assert.equal(change.payload.summary, 'Pipeline sales was edited');
      assert.deepEqual(change.payload.custom_details, {
        plan: `${before.hash.slice(0, 12)} → ffffffffffff`,
        tasks_added: ['c'],
        tasks_removed: ['b'],
        owner: 'ana',
      });
      assert.deepEqual(pagerDuty.events, []);
    } finally {
      await pagerDuty.close();
    }
  });
});
