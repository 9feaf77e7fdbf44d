import type { change, event } from '@pagerduty/pdjs';
import { refused, unreachable } from './channel-error.ts';

export interface PagerDutyConnection {
  readonly type: 'pagerduty';
  /** The integration key of a service: Events API v2. */
  readonly routing_key: string;
  /** Absent: PagerDuty's own. `events.eu.pagerduty.com` for accounts in the EU. */
  readonly host?: string;
}

type EventData = Parameters<typeof event>[0]['data'];

/** An event of Events API v2; the key of the service comes from the connection. */
export type PagerDutyEvent = Omit<EventData, 'routing_key'>;

/** A change: no alert, but what people look for first when there is one. */
export interface PagerDutyChange {
  readonly payload: { readonly summary: string; readonly source: string; readonly timestamp: string; readonly custom_details: object };
  readonly links: { readonly href: string; readonly text: string }[];
}

/** The client's own retries: it knows only one kind of failure, and waits 20 s. Temporal tries again. Milliseconds. */
const ITS_RETRY = 1_000;

/** Sends an event, by PagerDuty's own client as transport. Success is 202 and nothing else. @throws ChannelError, the signal's reason */
export function sendEvent({ routing_key, host }: PagerDutyConnection, data: PagerDutyEvent, signal: AbortSignal): Promise<void> {
  return send(signal, (client) => client.event({ ...transport(host, signal), data: { ...data, routing_key } }));
}

/** Says that something was changed. @throws ChannelError, the signal's reason */
export function sendChange({ routing_key, host }: PagerDutyConnection, data: PagerDutyChange, signal: AbortSignal): Promise<void> {
  // The client's types ask of a change what only an alert has.
  return send(signal, (client) => client.change({ ...transport(host, signal), data: { ...data, routing_key } as unknown as EventData }));
}

function transport(host: string | undefined, signal: AbortSignal) {
  // Its own time-out ends nothing, and leaves a timer behind. A redirect would take the key of the service elsewhere.
  return {
    ...(host !== undefined && host !== '' && { server: host }),
    requestTimeout: 0,
    retryTimeout: ITS_RETRY,
    redirect: 'manual' as const,
    signal,
  };
}

interface Client {
  readonly event: typeof event;
  readonly change: typeof change;
}

async function send(signal: AbortSignal, ask: (client: Client) => ReturnType<typeof event>): Promise<void> {
  // Loaded only by who sends something: the compiler reads definitions of channels, too.
  const client: Client = await import('@pagerduty/pdjs');
  let answer: Awaited<ReturnType<typeof event>>;
  try {
    answer = await ask(client);
  } catch (error) {
    signal.throwIfAborted();
    // No answer, or one that is not JSON: a proxy's page.
    throw unreachable('PagerDuty', error);
  }
  if (answer.response.status !== 202) throw refused('PagerDuty', answer.response.status, JSON.stringify(answer.data));
}
