import type { change, event } from '@pagerduty/pdjs';
import { refused, unreachable } from './channel-error.ts';

export interface PagerDutyConnection {
  readonly type: 'pagerduty';
  /** The integration key of a service: Events API v2. */
  readonly routing_key: string;
  /** Absent: PagerDuty's default. `events.eu.pagerduty.com` for accounts in the EU. */
  readonly host?: string;
}

type EventData = Parameters<typeof event>[0]['data'];

/** An event of Events API v2; the connection supplies the routing key. */
export type PagerDutyEvent = Omit<EventData, 'routing_key'>;

/** A change event: not an alert, but useful context for one. */
export interface PagerDutyChange {
  readonly payload: { readonly summary: string; readonly source: string; readonly timestamp: string; readonly custom_details: object };
  readonly links: { readonly href: string; readonly text: string }[];
}

/** Disables the client's own retries, which handle only one kind of failure and wait 20 s; Temporal retries instead. Milliseconds. */
const ITS_RETRY = 1_000;

/** Sends an event, using PagerDuty's client as transport. Only 202 is a success. @throws ChannelError, the signal's reason */
export function sendEvent({ routing_key, host }: PagerDutyConnection, data: PagerDutyEvent, signal: AbortSignal): Promise<void> {
  return send(signal, (client) => client.event({ ...transport(host, signal), data: { ...data, routing_key } }));
}

/** Sends a change event. @throws ChannelError, the signal's reason */
export function sendChange({ routing_key, host }: PagerDutyConnection, data: PagerDutyChange, signal: AbortSignal): Promise<void> {
  // The client's types require fields for a change that only an alert has.
  return send(signal, (client) => client.change({ ...transport(host, signal), data: { ...data, routing_key } as unknown as EventData }));
}

function transport(host: string | undefined, signal: AbortSignal) {
  // The client's own timeout does not cancel the request and leaves a timer. A redirect would leak the routing key.
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
  // Imported lazily: the compiler also reads the definitions of channels.
  const client: Client = await import('@pagerduty/pdjs');
  let answer: Awaited<ReturnType<typeof event>>;
  try {
    answer = await ask(client);
  } catch (error) {
    signal.throwIfAborted();
    // No response, or one that is not JSON, such as a proxy's error page.
    throw unreachable('PagerDuty', error);
  }
  if (answer.response.status !== 202) throw refused('PagerDuty', answer.response.status, JSON.stringify(answer.data));
}
