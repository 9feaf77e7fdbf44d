import { ApplicationFailure } from '@temporalio/activity';
import { change, event } from '@pagerduty/pdjs';
import type { PagerDutyConnection } from '../lib/connections.ts';
import type { Notice } from '../workflows/plan/incident.ts';
import { refused, type Tell } from './channel.ts';

/** Its own name of what is done to an alert. */
const ACTIONS = {
  warn: 'trigger',
  unwarn: 'resolve',
  trigger: 'trigger',
  update: 'trigger',
  acknowledge: 'acknowledge',
  resolve: 'resolve',
} as const satisfies Record<Notice['action'], string>;

/** The client's own retries: it knows only one kind of failure, and waits 20 s. Temporal tries again. Milliseconds. */
const ITS_RETRY = 1_000;

/** PagerDuty's Events API v2, by its own client as transport. Success is 202 and nothing else. */
export const tellPagerDuty: Tell = async (connections, { connection, action, key, page }, signal) => {
  const { routing_key, host } = connections.get(connection, ['pagerduty']);
  const warns = action === 'warn' || action === 'unwarn';
  await send(signal, () =>
    event({
      ...transport(host, signal),
      data: {
        routing_key,
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
    }),
  );
};

/** Says that something was changed: no alert, but what people look for first when there is one. */
export async function tellOfChange(
  { routing_key, host }: PagerDutyConnection,
  summary: string,
  details: object,
  links: readonly { readonly href: string; readonly text: string }[],
  signal: AbortSignal,
): Promise<void> {
  const data = {
    routing_key,
    payload: { summary, source: 'sluice', timestamp: new Date().toISOString(), custom_details: details },
    links: [...links],
  };
  // The client's types ask of a change what only an alert has.
  await send(signal, () => change({ ...transport(host, signal), data: data as unknown as Parameters<typeof change>[0]['data'] }));
}

function transport(host: string | undefined, signal: AbortSignal) {
  // Its own time-out ends nothing, and leaves a timer behind.
  return { ...(host !== undefined && host !== '' && { server: host }), requestTimeout: 0, retryTimeout: ITS_RETRY, signal };
}

async function send(signal: AbortSignal, ask: () => ReturnType<typeof event>): Promise<void> {
  let answer: Awaited<ReturnType<typeof event>>;
  try {
    answer = await ask();
  } catch (error) {
    signal.throwIfAborted();
    // No answer, or one that is not JSON: a proxy's page.
    throw ApplicationFailure.retryable(
      `PagerDuty cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
      'ChannelUnavailable',
    );
  }
  if (answer.response.status !== 202) throw refused('PagerDuty', answer.response.status, JSON.stringify(answer.data));
}
