import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { PagerDutyStandIn } from '../../../dev/demo/pagerduty-stand-in.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { showIncident } from '../../../temporal/monitors/incidents.ts';
import { TemporalFacts } from '../../../temporal/monitors/monitor-facts.ts';
import type { MonitorGroup } from '../../../temporal/monitors/monitors.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import {
  type ChannelMemory,
  incidentId,
  INCIDENT_WORKFLOW,
  type IncidentInput,
  monitorQueue,
  type Observation,
  OBSERVE,
} from '../../../workflows/plan/incidents/incident.ts';
import type { AlertsPlan } from '../../../workflows/plan/incidents/sla.ts';
import { eventually } from '../../support/eventually.ts';
import { type Inbox, openInbox } from '../../support/inbox.ts';
import '../../support/temporal-worker.ts';
import { createTestMonitors } from '../../support/test-monitors.ts';
import { testStack } from '../../support/test-stack.ts';

const PAGERDUTY: AlertsPlan = { pagerduty: { connection: 'pagerduty_default' } };

describe('channels of incidents', function () {
  this.timeout('2m');
  const taskQueue = `channels-${randomUUID().slice(0, 8)}`;
  let environment: Record<string, string>;
  let pagerDuty: PagerDutyStandIn;
  let inbox: Inbox;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;
  let facts: TemporalFacts;

  before(async function () {
    this.timeout('15m');
    pagerDuty = await PagerDutyStandIn.start();
    inbox = await openInbox();
    environment = {
      ...(await testStack(['temporal'])).environment,
      ...pagerDuty.environment,
      SLUICE_CONN_TEAM_HOOK: `${inbox.url}/hook`,
    };
    const client = await connectClient(environment);
    await ensureSearchAttributes(client);
    await client.connection.close();
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    facts = new TemporalFacts(monitors.client, taskQueue, environment);
  });
  after(async () => {
    monitors.shutdown();
    await monitoring;
    inbox.close();
    await pagerDuty.close();
  });

  const seen = (state: Observation['state'], alerts = PAGERDUTY, summary = 'x'): Observation => ({
    state,
    alerts,
    page: { summary, severity: 'error', source: 's', kind: 'test', since: '2024-01-01T00:00:00Z', details: {}, links: [] },
  });
  const channelOf = async (key: string, channel: string): Promise<ChannelMemory> => {
    const { channels } = await showIncident(monitors.client, key);
    return channels.find((each) => each.channel === channel) ?? assert.fail(`no ${channel}`);
  };
  const becomes = (key: string, state: string, withinMs = 15_000): Promise<void> =>
    eventually(async () => assert.equal((await showIncident(monitors.client, key)).state, state), withinMs);

  it('one that cannot deliver is shown within a minute: in the incident, and in its other channels', async () => {
    const key = `typo/${randomUUID()}`;
    const began = Date.now();
    await facts.observe(key, seen('breach', { pagerduty: { connection: 'pagerduty_oncal' }, webhook: { connection: 'team_hook' } }));
    await eventually(async () => assert.match((await channelOf(key, 'pagerduty')).trouble ?? '', /pagerduty_oncal/), 60_000);
    await eventually(() => {
      const notices = inbox.seen.map(({ body }) => body as unknown as { key?: string; details?: { not_delivered?: readonly string[] } });
      const told = notices.filter((notice) => notice.key === key && notice.details?.not_delivered !== undefined);
      assert.match(String(told[0]?.details?.not_delivered), /^pagerduty \(pagerduty_oncal\) does not deliver: .*pagerduty_oncal/);
      return Promise.resolve();
    }, 60_000);
    assert.ok(Date.now() - began < 60_000);
    assert.equal((await showIncident(monitors.client, key)).state, 'triggered', 'the webhook has accepted it');
    await monitors.client.workflow.getHandle(incidentId(key)).terminate();
  });

  it('one that is not configured is shown as such', async () => {
    const key = `unset/${randomUUID()}`;
    await facts.observe(key, seen('breach', { slack: { connection: 'slack_default' } }));
    await eventually(async () =>
      assert.match((await channelOf(key, 'slack')).trouble ?? '', /No notification was sent: SLUICE_CONN_SLACK_DEFAULT is not set/),
    );
    assert.equal((await showIncident(monitors.client, key)).state, 'open');
    await facts.observe(key, seen('over'));
    await becomes(key, 'resolved');
  });

  it('an alert that was accepted is resolved, although a later message was refused for good', async () => {
    const key = `refused/${randomUUID()}`;
    await facts.observe(key, seen('warning'));
    await becomes(key, 'warned');
    // The breach is accepted; that the warning is over is refused.
    pagerDuty.faults.push({ kind: 'accept' }, { kind: 'status', status: 400, body: '{"status":"invalid event"}' });
    await facts.observe(key, seen('breach'));
    await eventually(async () => assert.match((await channelOf(key, 'pagerduty')).trouble ?? '', /400/));
    await becomes(key, 'triggered');
    await facts.observe(key, seen('over'));
    await becomes(key, 'resolved');
    assert.ok(!pagerDuty.open.has(key));
  });

  it('updates continue after the history of an incident was restarted', async () => {
    const key = `long/${randomUUID()}`;
    await facts.observe(key, seen('breach'));
    await becomes(key, 'triggered');
    const before = await showIncident(monitors.client, key);
    // As the incident itself continues.
    const memory = { wanted: seen('breach'), openedAt: before.openedAt, channels: before.channels, log: before.log };
    await monitors.client.workflow.getHandle(incidentId(key)).terminate();
    const input: IncidentInput = { key, before: memory };
    await monitors.client.workflow.signalWithStart(INCIDENT_WORKFLOW, {
      workflowId: incidentId(key),
      taskQueue: monitorQueue(taskQueue),
      args: [input],
      signal: OBSERVE,
      signalArgs: [seen('breach', PAGERDUTY, 'it got worse')],
    });
    await eventually(() => {
      const last = pagerDuty.events.findLast(({ dedup_key }) => dedup_key === key);
      return Promise.resolve(assert.equal(last?.payload.summary, 'it got worse'));
    });
    await facts.observe(key, seen('over'));
    await becomes(key, 'resolved');
    assert.equal(pagerDuty.opened.get(key), 1);
  });
});
