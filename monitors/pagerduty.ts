import { type PagerDutyConnection, sendChange, sendEvent } from '../lib/channels/pagerduty.ts';
import type { Notice } from '../workflows/plan/incident.ts';
import type { Tell } from './channel.ts';

/** Its own name of what is done to an alert. */
const ACTIONS = {
  warn: 'trigger',
  unwarn: 'resolve',
  trigger: 'trigger',
  update: 'trigger',
  acknowledge: 'acknowledge',
  resolve: 'resolve',
} as const satisfies Record<Notice['action'], string>;

/** PagerDuty's Events API v2. */
export const tellPagerDuty: Tell = async (connections, { connection, action, key, page }, signal) => {
  const warns = action === 'warn' || action === 'unwarn';
  await sendEvent(
    connections.get(connection, ['pagerduty']),
    {
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
    },
    signal,
  );
};

/** Says that something was changed: no alert, but what people look for first when there is one. */
export function tellOfChange(connection: PagerDutyConnection, summary: string, details: object, signal: AbortSignal): Promise<void> {
  const payload = { summary, source: 'sluice', timestamp: new Date().toISOString(), custom_details: details };
  return sendChange(connection, { payload, links: [] }, signal);
}
