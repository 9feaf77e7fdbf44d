import Type from 'typebox';
import { sendChange, sendEvent } from '../lib/channels/pagerduty.ts';
import { fitKey, fitSummary } from '../lib/channels/pagerduty-limits.ts';
import { severity } from '../lib/schema-fields.ts';
import type { Notice } from '../workflows/plan/incidents/incident.ts';
import { defineChannel } from './define-channel.ts';

/** Maps actions to PagerDuty's event actions. */
const ACTIONS = {
  warn: 'trigger',
  unwarn: 'resolve',
  trigger: 'trigger',
  update: 'trigger',
  acknowledge: 'acknowledge',
  resolve: 'resolve',
} as const satisfies Record<Notice['action'], string>;

/** PagerDuty's Events API v2. */
export const pagerduty = defineChannel<'pagerduty'>({
  name: 'pagerduty',
  title: 'PagerDuty',
  description: 'Page through PagerDuty.',
  connection: {
    type: 'pagerduty',
    description: 'The connection with the integration key; never the key itself.',
    formerly: 'routing_key',
  },
  keys: {
    severity: Type.Optional(severity('Severity of a breach. Default: error; for a critical pipeline: critical.')),
    runbook: Type.Optional(
      Type.String({ format: 'uri', title: 'Runbook', description: 'Runbook for on-call staff.', examples: ['https://wiki/sales'] }),
    ),
  },
  takesUpdates: true,
  async sendNotice(connection, { action, key, page }, signal) {
    const warns = action === 'warn' || action === 'unwarn';
    const event = {
      event_action: ACTIONS[action],
      dedup_key: warns ? `${key.slice(0, 246)}/warning` : key,
      payload: {
        summary: page.summary,
        source: page.source,
        severity: page.severity,
        ...(Number.isNaN(Date.parse(page.since)) ? {} : { timestamp: page.since }),
        component: page.source,
        class: page.kind,
        custom_details: page.details,
      },
      links: [...page.links],
    };
    await sendEvent(connection, event, signal);
  },
  /** Sends an alert with the task's own key, so that a second attempt does not open another one. */
  async sendMessage(connection, { text, severity, key, from }, signal) {
    const event = {
      event_action: 'trigger' as const,
      dedup_key: fitKey(key),
      payload: {
        summary: fitSummary(text) || `${from.dag_id} has no details`,
        source: from.dag_id,
        severity,
        component: from.dag_id,
        class: 'notify',
        custom_details: { message: text, ...from },
      },
    };
    await sendEvent(connection, event, signal);
  },
  /** Sends a change event: it alerts no one, but shows recent changes beside the next alert. */
  async sendEdit(connection, { summary, details }, signal) {
    const payload = { summary: fitSummary(summary), source: 'sluice', timestamp: new Date().toISOString(), custom_details: details };
    await sendChange(connection, { payload, links: [] }, signal);
  },
});
