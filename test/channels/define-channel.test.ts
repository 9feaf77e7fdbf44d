import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { notifyTask } from '../../activities/notify.ts';
import { CHANNELS } from '../../channels/catalog.ts';
import { defineChannel } from '../../channels/define-channel.ts';
import { Compiler } from '../../compiler/compile.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { postJson } from '../../lib/channels/post-json.ts';
import { Scrubber } from '../../lib/scrubbing/scrub.ts';
import { notify } from '../../monitors/notify.ts';
import { TRIGGERS } from '../../sensors/catalog.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { runTask } from '../support/run-task.ts';
import { SOME_PAGE } from '../support/some-page.ts';

/** What somebody writes who adds a channel. */
const teams = defineChannel<'http'>({
  name: 'teams',
  title: 'Teams',
  description: 'Write to a channel of Teams.',
  connection: { type: 'http', description: 'The connection with the webhook.' },
  sendNotice: (connection, { action, page }, signal) => postJson('Teams', connection, { text: `${action}: ${page.summary}` }, signal),
  sendMessage: (connection, { text }, signal) => postJson('Teams', connection, { text }, signal),
});

const channels = [...CHANNELS, teams] as const;
const tasks = [...CATALOG.filter(({ type }) => type !== 'notify'), notifyTask([...CHANNELS, teams])];
const compiler = new Compiler(tasks, TRIGGERS, channels);
const compile = (lines: string) => compiler.compile({ file: 'x.yaml', text: `dag_id: x\n${lines}` });

describe('a channel that is defined in one place', () => {
  let inbox: Inbox;
  let environment: Record<string, string>;
  before(async () => {
    inbox = await openInbox();
    environment = { SLUICE_CONN_TEAMS_DEFAULT: inbox.url };
  });
  after(() => inbox.close());

  it('is a key of alerts, and of those who are notified when a run waits', () => {
    const { plan } = compile('alerts: {teams: {}, waiting: {teams: {conn_id: late_shift}}}\ntasks: [{name: a, type: empty}]');
    assert.deepEqual(plan?.alerts, { teams: { connection: 'teams_default' } });
    assert.deepEqual(plan?.waitingAlerts, { teams: { connection: 'late_shift' } });
  });

  it('has its keys and its connection checked', () => {
    const codes = compile('alerts: {teams: {conn_id: aws_default, room: 7}}\ntasks: [{name: a, type: empty}]').diagnostics.map(
      ({ code, message }) => `${code} ${message}`,
    );
    assert.equal(codes.length, 2);
    assert.match(codes.join('\n'), /'room'/);
    assert.match(codes.join('\n'), /'aws_default' is of type aws; 'conn_id' needs http/);
  });

  it('is notified by tasks', async () => {
    const { plan } = compile('tasks: [{name: a, type: notify, to: teams, message: all good}]');
    assert.deepEqual(await runTask(notifyTask([...channels]), { params: plan?.tasks[0]?.params as JsonObject, environment }), {
      sent: true,
    });
    assert.deepEqual(inbox.seen.at(-1)?.body, { text: 'all good' });
  });

  it('is sent the steps of incidents', async () => {
    const notice = { channel: 'teams', connection: 'teams_default', action: 'trigger', key: 'x/failed', page: SOME_PAGE } as const;
    await notify(connectionsFrom(environment), new Scrubber([]), notice, { channels });
    assert.deepEqual(inbox.seen.at(-1)?.body, { text: `trigger: ${SOME_PAGE.summary}` });
  });

  it('is not dropped by a monitor that does not have it: the incident shows that it is not delivered, and it is retried', async () => {
    const notice = { channel: 'teams', connection: 'teams_default', action: 'trigger', key: 'x/failed', page: SOME_PAGE } as const;
    await assert.rejects(notify(connectionsFrom(environment), new Scrubber([]), notice), {
      type: 'ChannelUnknown',
      nonRetryable: false,
      message: "This monitor has no channel 'teams'. Its channels: pagerduty, slack, webhook.",
    });
  });
});
